/** Facts of the running platform → metrics: lag, the age of what waits, replicas; a cluster learns them from NATS and Kubernetes. */
import * as z from 'zod/mini';
import { toAppError } from '../../functions/runtime/errors.ts';
import type { Bus } from '../../functions/runtime/jetstream/connection.ts';
import { pushMetrics, setGauge } from '../../functions/runtime/metrics.ts';
import type { Rule } from '../manifests/rules.ts';
import type { Client } from './client.ts';
import type { FunctionState } from './scaling/scaler.ts';

type Options = {
  /** Where the functions push theirs. */
  readonly endpoint: string;
  readonly rules: readonly Rule[];
  readonly states: () => readonly FunctionState[];
} & Pick<Client, 'bus' | 'log'>;
export type PlatformMetrics = { close(): Promise<void> };

type Consumer = { readonly function: string; readonly stream: string; readonly consumer: string };

const MEASURE_EVERY_MS = 5_000;

const config = z.object({ filter_subject: z.optional(z.string()), filter_subjects: z.optional(z.array(z.string())) });
const info = z.object({
  num_pending: z.number(),
  num_ack_pending: z.number(),
  ack_floor: z.object({ stream_seq: z.number() }),
  config,
});
const stored = z.object({ message: z.object({ time: z.string() }) });

const consumersOf = (rules: readonly Rule[]): Consumer[] =>
  rules.flatMap((rule) =>
    rule.scaledBy !== 'keda'
      ? []
      : rule.triggers.flatMap((trigger) =>
          trigger.type !== 'nats-jetstream'
            ? []
            : [{ function: rule.name, stream: trigger.stream, consumer: trigger.consumer }],
        ),
  );

/** Seconds since the oldest message was stored that the consumer has not acknowledged; 0 when there is none. */
async function oldestSeconds(bus: Bus, stream: string, filters: readonly string[], floor: number): Promise<number> {
  const times = filters.map(async (next_by_subj) => {
    const found = await bus.api(`STREAM.MSG.GET.${stream}`, { seq: floor + 1, next_by_subj }).catch(() => undefined);
    return found === undefined ? Number.POSITIVE_INFINITY : Date.parse(stored.parse(found).message.time);
  });
  const oldest = Math.min(...(await Promise.all(times)));
  return Number.isFinite(oldest) ? Math.max(0, Date.now() - oldest) / 1_000 : 0;
}

async function measureConsumer(bus: Bus, { function: name, stream, consumer }: Consumer): Promise<void> {
  const { config, ...state } = info.parse(await bus.api(`CONSUMER.INFO.${stream}.${consumer}`));
  const lag = state.num_pending + state.num_ack_pending;
  const filters = config.filter_subjects ?? [config.filter_subject ?? '>'];
  const oldest = lag === 0 ? 0 : await oldestSeconds(bus, stream, filters, state.ack_floor.stream_seq);
  setGauge('millrace.consumer.lag', { function: name, consumer }, lag);
  setGauge('millrace.consumer.oldest_pending_seconds', { function: name, consumer }, oldest);
}

function measureFunction({ name, pids, problem }: FunctionState): void {
  setGauge('millrace.replicas', { function: name }, pids.length);
  setGauge('millrace.scaler.failing', { function: name }, problem ? 1 : 0);
}

/** Measures and pushes until it is closed. */
export function openPlatformMetrics({ endpoint, rules, states, bus, log }: Options): PlatformMetrics {
  const consumers = consumersOf(rules);
  const closers: (() => Promise<void> | void)[] = [];
  const counting = rules.filter(
    (rule) => rule.scaledBy === 'keda' && rule.triggers.some(({ type }) => type === 'postgresql'),
  );
  const measure = async (): Promise<void> => {
    for (const state of states()) {
      measureFunction(state);
      const rows = counting.some(({ name }) => name === state.name);
      if (rows) setGauge('millrace.consumer.lag', { function: state.name, consumer: 'outbox' }, state.lag);
    }
    const ends = await Promise.allSettled(consumers.map((one) => measureConsumer(bus, one)));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed && !failing) log.warn({ detail: toAppError(failed.reason).message }, 'lag cannot be measured');
    failing = failed !== undefined;
  };
  let failing = false;
  let measuring: Promise<void> | undefined;
  const measureOnce = (): Promise<void> => {
    measuring ??= measure().finally(() => {
      measuring = undefined;
    });
    return measuring;
  };
  const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
  pushMetrics({ name: 'platform', settings, log, onClose: (close) => void closers.push(close) });
  const timer = setInterval(measureOnce, MEASURE_EVERY_MS);
  void measureOnce();
  return {
    async close() {
      clearInterval(timer);
      await measureOnce();
      for (const close of closers) await close();
    },
  };
}
