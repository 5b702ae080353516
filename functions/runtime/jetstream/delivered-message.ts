/** A message of NATS, as a consumer delivers it → what it is, and the ways to end it. */
import type { Msg, Send } from './client.ts';

/** A message of a JetStream consumer. Exactly one of ack, nak, term ends it. */
export type DeliveredMessage = {
  readonly subject: string;
  /** By lower case name; undefined when what was sent as headers cannot be read. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly data: Uint8Array;
  /** Where the schedule was kept that the server made it of; undefined when somebody has sent it. */
  readonly scheduledOn: string | undefined;
  readonly stream: string;
  readonly sequence: number;
  /** When the stream stored it, ns since 1970, as text. Stable over redeliveries. */
  readonly storedAtNanos: string;
  /** Its stream, sequence and time there: no other message ever has the same. */
  readonly streamSequence: string;
  /** Of this message: 1 at the first one. */
  readonly deliveries: number;
  /** Deliveries, and those before it was parked or redriven. */
  readonly attempts: number;
  ack(): void;
  nak(delayMs: number): void;
  /** It takes longer: nobody else is to get it for another `ackWait`. */
  working(): void;
  term(reason: string): void;
};

/** Written by the server alone, and last: it takes out others, but not those in another case. */
const SCHEDULED_ON = 'Nats-Scheduler';

/** Parses `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<...>.<stored ns>.<pending>`, or its longer v2 form. */
export function parseAckSubject(subject: string) {
  const parts = subject.split('.');
  const [stream = '', , deliveries, sequence, , storedAtNanos = '0'] =
    parts.length > 9 ? parts.slice(4) : parts.slice(2);
  return { stream, deliveries: Number(deliveries), sequence: Number(sequence), storedAtNanos };
}

type Headers = Pick<DeliveredMessage, 'headers' | 'scheduledOn'>;

function readHeaders(message: Msg): Headers {
  const headers: Record<string, string> = Object.create(null);
  let scheduledOn: string | undefined;
  try {
    for (const [name, values] of message.headers ?? []) {
      headers[name.toLowerCase()] = values[0] ?? '';
      if (name === SCHEDULED_ON) scheduledOn ??= values.at(-1) || undefined;
    }
  } catch {
    return { headers: undefined, scheduledOn: undefined };
  }
  return { headers, scheduledOn };
}

export function toDeliveredMessage(send: Send, message: Msg, ackSubject: string): DeliveredMessage {
  const answer = (verb: string): void => send(ackSubject, verb);
  const { stream, sequence, storedAtNanos, deliveries } = parseAckSubject(ackSubject);
  const { headers, scheduledOn } = readHeaders(message);
  return {
    stream,
    sequence,
    storedAtNanos,
    streamSequence: `${stream} ${sequence} ${storedAtNanos}`,
    deliveries,
    attempts: deliveries,
    subject: message.subject,
    headers,
    scheduledOn,
    data: message.data,
    ack: () => answer('+ACK'),
    nak: (delayMs) => answer(`-NAK ${JSON.stringify({ delay: Math.round(delayMs * 1e6) })}`),
    working: () => answer('+WPI'),
    term: (reason) => answer(`+TERM ${reason}`),
  };
}
