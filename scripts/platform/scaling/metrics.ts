/** A trigger → its value now, read where KEDA reads it: NATS's monitoring endpoint, or a query in Postgres. */
import * as z from 'zod/mini';
import type { Database } from '../../../functions/runtime/postgres.ts';
import type { Trigger } from '../../manifests/rules.ts';
import type { NatsTrigger, PostgresTrigger } from '../../manifests/scaled-object.ts';
import { ACCOUNT } from '../../registry/nats-users/accounts-conf.ts';
import type { Failure, Reading } from './scale.ts';

/** `pending`: of the metric, what nobody has begun with. */
export type Measured = (Reading & { readonly pending: number }) | Failure;
export type Metrics = { read(trigger: Trigger): Promise<Measured> };

const TIMEOUT_MS = 3_000;
/** Triggers polled at about the same time share one answer of the server. */
const SHARED_MS = 250;

const count = z.number();
const consumer = z.object({ name: z.string(), num_pending: count, num_ack_pending: count });
const stream = z.object({ name: z.string(), consumer_detail: z._default(z.array(consumer), []) });
const account = z.object({ stream_detail: z._default(z.array(stream), []) });
const jsz = z.object({ account_details: z._default(z.array(account), []) });
type Streams = z.infer<typeof stream>[];

async function fetchStreams(monitorUrl: string): Promise<Streams> {
  const url = `${monitorUrl}/jsz?acc=${ACCOUNT}&consumers=true&config=true`;
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return jsz.parse(await response.json()).account_details.flatMap((one) => one.stream_detail);
}

export function openMetrics(monitorUrl: string, database: Database): Metrics {
  let shared: { at: number; streams: Promise<Streams> } | undefined;

  const streams = (): Promise<Streams> => {
    if (!shared || Date.now() - shared.at > SHARED_MS) shared = { at: Date.now(), streams: fetchStreams(monitorUrl) };
    return shared.streams;
  };

  const lag = async ({ stream, consumer, lagThreshold, activationLagThreshold }: NatsTrigger): Promise<Measured> => {
    const what = `lag of ${stream}/${consumer}`;
    const found = (await streams()).find(({ name }) => name === stream);
    const state = found?.consumer_detail.find(({ name }) => name === consumer);
    if (!state) return { what, problem: found ? `no consumer ${consumer}` : `no stream ${stream}` };
    const metric = state.num_pending + state.num_ack_pending;
    return { what, metric, pending: state.num_pending, threshold: lagThreshold, activation: activationLagThreshold };
  };

  const rows = async (trigger: PostgresTrigger): Promise<Measured> => {
    const { rows } = await database.query<unknown[]>({ text: trigger.query, rowMode: 'array' } as { text: string });
    const metric = Number(rows[0]?.[0]);
    if (!Number.isFinite(metric)) return { what: 'query', problem: `'${trigger.query}' gives no number` };
    const { targetQueryValue: threshold, activationTargetQueryValue: activation } = trigger;
    return { what: 'count in Postgres', metric, pending: metric, threshold, activation };
  };

  return {
    async read(trigger) {
      try {
        return await (trigger.type === 'postgresql' ? rows(trigger) : lag(trigger));
      } catch (error) {
        const what =
          trigger.type === 'postgresql' ? 'count in Postgres' : `lag of ${trigger.stream}/${trigger.consumer}`;
        return { what, problem: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}
