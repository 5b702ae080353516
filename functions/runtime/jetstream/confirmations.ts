/** Publishes to JetStream and hears that a message is stored: one inbox, and one clock for all that wait for that. */
import type { Msg, MsgHdrs, NatsConnection, Payload } from './client.ts';

export type Confirmed = {
  /** Resolves to the message's sequence; throws what the client or JetStream has against it. */
  publish(subject: string, payload: Payload, headers: MsgHdrs): Promise<number>;
  /** Sends a part of a batch: the message that ends it hears of all. */
  publishPart(subject: string, payload: Payload, headers: MsgHdrs): void;
  /** The server does not let this key publish to a subject. */
  refused(subject: string): void;
};

type Waiting = {
  readonly subject: string;
  readonly until: number;
  resolve(sequence: number): void;
  reject(why: Error): void;
};
type Confirmation = {
  readonly stream?: string;
  readonly seq?: number;
  readonly error?: { readonly err_code: number; readonly description: string };
};

const TIMEOUT_MS = 5_000;
/** JetStream's code for a message that is larger than its stream takes. */
const TOO_LARGE = 10054;

const NO_ANSWER = 'NO_ANSWER';
/** Nobody knows whether the message is stored. */
export const isUnanswered = (why: unknown): boolean => why instanceof Error && 'code' in why && why.code === NO_ANSWER;

const notStored = (why: string, code?: string): Error => Object.assign(new Error(why), { code });

function settle({ resolve, reject }: Waiting, message: Msg): void {
  if (message.headers?.code === 503) return reject(notStored('no stream takes it'));
  const { stream, seq, error } = message.json<Confirmation>();
  if (error) reject(notStored(error.description, error.err_code === TOO_LARGE ? 'MAX_PAYLOAD_EXCEEDED' : undefined));
  else if (!stream || seq === undefined) reject(notStored('the answer is no confirmation'));
  else resolve(seq);
}

export function openConfirmed(connection: NatsConnection, inbox: string): Confirmed {
  /** By the number of the publishing: the oldest comes first. */
  const waiting = new Map<string, Waiting>();
  let published = 0;
  let listening = false;
  let clock: NodeJS.Timeout | undefined;

  const giveUp = (token: string, why: string, code?: string): void => {
    waiting.get(token)?.reject(notStored(why, code));
    waiting.delete(token);
  };

  const giveUpAt = (until: number): void => {
    if (clock) return;
    clock = setTimeout(
      () => {
        clock = undefined;
        for (const [token, one] of waiting) {
          if (one.until > Date.now()) return giveUpAt(one.until);
          giveUp(token, 'no answer', NO_ANSWER);
        }
      },
      Math.max(0, until - Date.now()),
    ).unref();
  };

  const hear = (error: Error | null, message: Msg): void => {
    // The server has refused the subscription, and the client has closed it: another key may be allowed to.
    if (error) {
      listening = false;
      return;
    }
    const token = message.subject.slice(inbox.length + 1);
    const one = waiting.get(token);
    waiting.delete(token);
    try {
      if (one) settle(one, message);
    } catch {
      one?.reject(notStored('the answer is no confirmation'));
    }
  };

  const listen = (): void => {
    if (listening) return;
    connection.subscribe(`${inbox}.*`, { callback: hear });
    listening = true;
  };

  return {
    publish: (subject, payload, headers) =>
      new Promise((resolve, reject) => {
        listen();
        published += 1;
        const token = String(published);
        connection.publish(subject, payload, { reply: `${inbox}.${token}`, headers });
        const until = Date.now() + TIMEOUT_MS;
        waiting.set(token, { subject, until, resolve, reject });
        giveUpAt(until);
      }),
    publishPart: (subject, payload, headers) => connection.publish(subject, payload, { headers }),
    refused(subject) {
      for (const [token, one] of waiting)
        if (one.subject === subject) giveUp(token, 'Permissions Violation: the key may not publish to it');
    },
  };
}
