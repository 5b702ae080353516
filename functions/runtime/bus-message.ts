/** A message of NATS, as a consumer delivers it → what it is, and the ways to end it. */
import type { Msg, NatsConnection } from './bus.ts';

/** A message of a JetStream consumer. Exactly one of ack, nak, term ends it. */
export type BusMessage = {
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
  readonly place: string;
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

function readHeaders(message: Msg): Record<string, string> | undefined {
  try {
    return Object.fromEntries([...(message.headers ?? [])].map(([name, [value = '']]) => [name.toLowerCase(), value]));
  } catch {
    return undefined;
  }
}

function readScheduledOn(message: Msg): string | undefined {
  try {
    return [...(message.headers ?? [])].find(([name]) => name === SCHEDULED_ON)?.[1].at(-1) || undefined;
  } catch {
    return undefined;
  }
}

export function toBusMessage(connection: NatsConnection, message: Msg, ackSubject: string): BusMessage {
  const answer = (verb: string): void => connection.publish(ackSubject, verb);
  const { stream, sequence, storedAtNanos, deliveries } = parseAckSubject(ackSubject);
  return {
    stream,
    sequence,
    storedAtNanos,
    place: `${stream} ${sequence} ${storedAtNanos}`,
    deliveries,
    attempts: deliveries,
    subject: message.subject,
    headers: readHeaders(message),
    scheduledOn: readScheduledOn(message),
    data: message.data,
    ack: () => answer('+ACK'),
    nak: (delayMs) => answer(`-NAK ${JSON.stringify({ delay: Math.round(delayMs * 1e6) })}`),
    working: () => answer('+WPI'),
    term: (reason) => answer(`+TERM ${reason}`),
  };
}
