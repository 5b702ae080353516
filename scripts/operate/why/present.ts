/** NATS → what it holds now: dead letters, what is parked, and the lag of each function. */
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import type { ConsumerSpec } from '../../manifests/jetstream-yaml.ts';
import { lastDeadLetter, parseHeaders, readDeadLetters, type Stored } from '../dead-letters/dead-letters.ts';
import type { Present } from './state.ts';

const MOST_DEAD_LETTERS = 5_000;
const MOST_PARKED = 500;

async function readDead(bus: Bus): Promise<Present['deadLetters']> {
  const deadLetters: Present['deadLetters'][number][] = [];
  for await (const { id, function: name, headers, traceId } of readDeadLetters(
    bus,
    Math.max(1, (await lastDeadLetter(bus)) - MOST_DEAD_LETTERS),
  ))
    deadLetters.push({ id, function: name, messageId: headers['ce-id'] ?? '', traceId });
  return deadLetters;
}

async function readParked(bus: Bus): Promise<Present['parked']> {
  const filter = { subjects_filter: 'waiting.>' };
  const { state } = await bus.api<{ state: { subjects?: Record<string, number> } }>('STREAM.INFO.RETRIES', filter);
  const found = await Promise.all(
    Object.keys(state.subjects ?? {})
      .slice(-MOST_PARKED)
      .map((subject) =>
        // It may be due meanwhile.
        bus.api<Stored>('STREAM.MSG.GET.RETRIES', { last_by_subj: subject }).catch(() => undefined),
      ),
  );
  return found.flatMap((stored) => {
    if (!stored) return [];
    const headers = parseHeaders(stored.message.hdrs);
    const at = Date.parse(headers['nats-schedule']?.replace('@at ', '') ?? '');
    return [
      {
        function: stored.message.subject.split('.')[1] ?? '',
        messageId: headers['ce-id'] ?? '',
        traceId: headers.traceparent?.split('-')[1] ?? '',
        at: Number.isNaN(at) ? Date.now() : at,
      },
    ];
  });
}

type Info = { readonly num_pending: number; readonly num_ack_pending: number };

async function readLag(bus: Bus, consumers: readonly ConsumerSpec[]): Promise<Present['lag']> {
  const lags = consumers.map(async ({ streamName, durableName }) => {
    const info = await bus.api<Info>(`CONSUMER.INFO.${streamName}.${durableName}`);
    return [durableName, info.num_pending + info.num_ack_pending] as const;
  });
  return Object.fromEntries(await Promise.all(lags));
}

/** Of the newest 5,000 places in DEAD_LETTERS, and of 500 that are parked. */
export async function readPresent(bus: Bus, consumers: readonly ConsumerSpec[]): Promise<Present> {
  const [deadLetters, parked, lag] = await Promise.all([readDead(bus), readParked(bus), readLag(bus, consumers)]);
  return { deadLetters, parked, lag };
}
