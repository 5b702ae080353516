/** Plain messages, such as acknowledgements and answers → one write to the socket for all of one turn. */

import { toAppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { NatsConnection, Payload } from './client.ts';

export type Outgoing = {
  /** Sends after what is done in this turn of the event loop; whoever is not heard comes again. */
  send(subject: string, payload: Payload): void;
  /** Sends what waits. */
  sendAll(): void;
};

export function openOutgoing(connection: Pick<NatsConnection, 'publish'>, log: Log): Outgoing {
  let waiting: (readonly [subject: string, payload: Payload])[] = [];

  const sendAll = (): void => {
    const all = waiting;
    waiting = [];
    try {
      for (const [subject, payload] of all) connection.publish(subject, payload);
    } catch (error) {
      log.warn({ error: toAppError(error).message, messages: all.length }, 'the connection to NATS is closed');
    }
  };

  return {
    send(subject, payload) {
      if (waiting.push([subject, payload]) === 1) process.nextTick(sendAll);
    },
    sendAll,
  };
}
