/** Work queues → what no consumer will ever take: of no function's kind, to the dead letters; passed over by its consumer, sent again. */

import { DEAD } from '../../../functions/runtime/handling/failure.ts';
import { ATTEMPTS_HEADER, CARRIED, ORIGIN_HEADER } from '../../../functions/runtime/handling/retries.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import { REPLY_HEADER } from '../../../functions/runtime/messages/message.ts';
import { parseHeaders, removeMessage, type Stored, storedMessages } from './dead-letters.ts';

/** A stream whose messages are deleted when they are done, and the subjects that are nobody's work by purpose. */
type Queue = { readonly stream: string; readonly keeps: RegExp };
const QUEUES: readonly Queue[] = [
  { stream: 'COMMANDS', keeps: /^parked\./ },
  { stream: 'RETRIES', keeps: /^waiting\./ },
];

/** The function of dead letters that belong to none. */
const NOBODY = 'nobody';

type ConsumerInfo = {
  readonly config: { readonly filter_subject?: string; readonly filter_subjects?: readonly string[] };
  readonly ack_floor: { readonly stream_seq: number };
  readonly delivered: { readonly stream_seq: number };
  readonly num_pending: number;
  readonly num_ack_pending: number;
};
type Taker = { readonly takes: (subject: string) => boolean; readonly passed: number };

const toPattern = (filter: string): RegExp =>
  new RegExp(`^${filter.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replace(/>$/, '.+')}$`);

function toTaker({ config, ack_floor, delivered, num_pending, num_ack_pending }: ConsumerInfo): Taker {
  const filters = (config.filter_subjects ?? [config.filter_subject ?? '>']).map(toPattern);
  const idle = num_pending === 0 && num_ack_pending === 0;
  return {
    takes: (subject) => filters.some((filter) => filter.test(subject)),
    passed: idle ? Math.max(ack_floor.stream_seq, delivered.stream_seq) : ack_floor.stream_seq,
  };
}

async function takersOf(bus: Bus, stream: string): Promise<Taker[]> {
  const { consumers } = await bus.api<{ consumers: readonly ConsumerInfo[] | null }>(`CONSUMER.LIST.${stream}`, {});
  return (consumers ?? []).map(toTaker);
}

async function subjectsOf(bus: Bus, { stream, keeps }: Queue): Promise<string[]> {
  const { state } = await bus.api<{ state: { subjects?: Readonly<Record<string, number>> } }>(`STREAM.INFO.${stream}`, {
    subjects_filter: '>',
  });
  return Object.keys(state.subjects ?? {}).filter((subject) => !keeps.test(subject));
}

export type Stray = {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly at: string;
  /** `no-consumer`: to the dead letters. `passed-over`, by its consumer, after a crash of NATS: sent again. */
  readonly why: 'no-consumer' | 'passed-over';
};

/** RFC 3339 with up to nine digits of a second → ns since 1970, as text. */
export function nanosOf(time: string): string {
  const [, second = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return `${Date.parse(`${second}Z`) / 1_000}${fraction.padEnd(9, '0')}`;
}

async function bury(bus: Bus, stream: string, { message }: Stored): Promise<void> {
  const { subject, seq, time, hdrs, data = '' } = message;
  const nanos = nanosOf(time);
  const headers = {
    ...Object.fromEntries(Object.entries(parseHeaders(hdrs)).filter(([name]) => CARRIED.test(name))),
    [ORIGIN_HEADER]: [stream, seq, nanos, subject].join(' '),
    [ATTEMPTS_HEADER]: '0',
    [DEAD.function]: NOBODY,
    [DEAD.consumer]: NOBODY,
    [DEAD.error]: 'no-consumer',
    [DEAD.message]: `No consumer of ${stream} takes ${subject}`,
  };
  await bus.publish(`dead.${NOBODY}`, Buffer.from(data, 'base64'), headers, `${NOBODY} ${stream} ${seq} ${nanos}`);
}

/** With the id that it had, so that whoever has handled it before knows it. */
async function sendAgain(bus: Bus, stream: string, { message }: Stored): Promise<void> {
  const { subject, seq, time, hdrs, data = '' } = message;
  const place = `${stream}-${seq}-${nanosOf(time)}`;
  const own = Object.entries(parseHeaders(hdrs)).filter(([name]) => !name.startsWith('nats-') && name !== REPLY_HEADER);
  const headers = { 'ce-id': place, 'ce-source': `nats:${stream}`, ...Object.fromEntries(own) };
  await bus.publish(subject, Buffer.from(data, 'base64'), headers, `again ${place}`);
}

/** Takes what has been there longer than `olderThanMs`: a function that is being deployed has its consumer by then. */
export async function sweep(
  bus: Bus,
  olderThanMs: number,
  dryRun: boolean,
  report: (stray: Stray) => void,
): Promise<void> {
  const before = Date.now() - olderThanMs;
  for (const queue of QUEUES) {
    const { stream } = queue;
    const takers = await takersOf(bus, stream);
    for (const subject of await subjectsOf(bus, queue)) {
      const taker = takers.find(({ takes }) => takes(subject));
      for await (const stored of storedMessages(bus, stream, subject)) {
        const { seq: sequence, time: at } = stored.message;
        if (Date.parse(at) > before || (taker && sequence > taker.passed)) break;
        report({ stream, sequence, subject, at, why: taker ? 'passed-over' : 'no-consumer' });
        if (dryRun) continue;
        await (taker ? sendAgain : bury)(bus, stream, stored);
        await removeMessage(bus, stream, sequence);
      }
    }
  }
}
