/** What is taken of the client `nats`, here alone: its connection, and what it sends and delivers. */
export {
  connect,
  createInbox,
  headers,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NatsError,
  nkeyAuthenticator,
  nkeys,
  type Subscription,
} from 'nats';

export type Payload = string | Uint8Array;
/** Sends a plain message that nobody may be waiting for. */
export type Send = (subject: string, payload: Payload) => void;
