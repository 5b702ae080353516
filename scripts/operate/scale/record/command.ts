/** `millrace scale record <function>`: what comes to it, its lag and its replicas over time → lines of JSON that simulate --load takes. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod/mini';
import type { Bus } from '../../../../functions/runtime/jetstream/connection.ts';
import { validate } from '../../../../functions/runtime/schema.ts';
import { type Environment, natsPlace, readOptions, refuseNowhere, UsageError } from '../../../cli/cli.ts';
import { declaredConsumers } from '../../../manifests/rules.ts';
import type { Point } from '../../../platform/telemetry/points.ts';
import { connect } from '../../dead-letters/command.ts';
import { readShop, type Shop } from '../platform.ts';
import type { RecordedHeader, Sample, Summary } from '../recording.ts';
import { between, bucketsOf, quantileOf, timesOf, totalOf } from './histogram.ts';

const OPTIONS = {
  seconds: { type: 'string' },
  every: { type: 'string' },
  out: { type: 'string' },
  nats: { type: 'string' },
} as const;
/** Functions tell what they have counted every 5 s. */
const TOLD_AFTER_MS = 6_000;

const count = z.number();
const info = z.object({
  num_pending: count,
  num_ack_pending: count,
  delivered: z.object({ consumer_seq: count }),
});

type Request = { readonly name: string; readonly seconds: number; readonly everySeconds: number; readonly out: string };

function readArguments(args: readonly string[]): Request & { readonly nats: string | undefined } {
  const { values, positionals } = readOptions(args, OPTIONS);
  const [name, ...more] = positionals;
  if (!name || more.length > 0) throw new UsageError('which function? scale record takes one');
  const number = (option: 'seconds' | 'every', preset: number, most: number): number => {
    const text = values[option] ?? String(preset);
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
    if (value >= 0.1 && value <= most) return value;
    throw new UsageError(`--${option} must be seconds from 0.1 to ${most}, not '${text}'`);
  };
  const { out = `${name}.jsonl`, nats } = values;
  refuseNowhere(out);
  if (!/^[a-z0-9-]+$/.test(name)) throw new UsageError(`there is no function '${name}'`);
  return { name, seconds: number('seconds', 60, 86_400), everySeconds: number('every', 1, 60), out, nats };
}

/** Another delivery of the same message counts as one that has come. */
async function readConsumer(bus: Bus, stream: string, consumer: string) {
  const found = validate(info, await bus.api(`CONSUMER.INFO.${stream}.${consumer}`), 'The answer of NATS');
  return { came: found.num_pending + found.delivered.consumer_seq, lag: found.num_pending + found.num_ack_pending };
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;

function summaryOf(name: string, before: readonly Point[], after: readonly Point[]): Summary {
  const measured = (metric: string) => between(bucketsOf(before, name, metric), bucketsOf(after, name, metric));
  const handler = measured('millrace.message.handle');
  const wait = measured('millrace.message.wait');
  const handlerMs = timesOf(handler);
  const waits = [quantileOf(wait, 0.5), quantileOf(wait, 0.95)];
  return {
    handled: totalOf(handler),
    ...(handlerMs ? { handlerMs } : {}),
    ...(waits[0] === undefined || waits[1] === undefined
      ? {}
      : { waits: { p50: round(waits[0]), p95: round(waits[1]) } }),
  };
}

type Sources = {
  readonly bus: Bus;
  readonly stream: string;
  readonly shop: Shop | undefined;
  readonly signal: AbortSignal;
};

/** Until it is told to end, or the time is over. */
async function record(
  request: Request,
  { bus, stream, shop, signal }: Sources,
  write: (line: object) => void,
): Promise<number> {
  const { name, seconds, everySeconds } = request;
  const header: RecordedHeader = { function: name, recordedAt: new Date().toISOString(), everySeconds };
  write(header);
  const startedAt = performance.now();
  let { came } = await readConsumer(bus, stream, name);
  let arrived = 0;
  for (let due = everySeconds; due < seconds + everySeconds / 2 && !signal.aborted; due += everySeconds) {
    const restMs = startedAt + due * 1_000 - performance.now();
    await delay(Math.max(1, restMs), undefined, { signal }).catch(() => undefined);
    const [now, states] = await Promise.all([readConsumer(bus, stream, name), shop?.functions()]);
    const state = states?.find((one) => one.name === name);
    const sample: Sample = {
      t: round((performance.now() - startedAt) / 1_000),
      arrived: Math.max(0, now.came - came),
      lag: now.lag,
      ...(state ? { replicas: state.replicas, ready: state.ready } : {}),
    };
    ({ came } = now);
    arrived += sample.arrived;
    write(sample);
  }
  return arrived;
}

function untilSignal(): AbortController {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  return stop;
}

export async function recordCommand(args: readonly string[], environment: Environment = process.env): Promise<void> {
  const request = readArguments(args);
  const { name, nats, out } = request;
  const consumer = declaredConsumers(name).find(({ durableName }) => durableName === name);
  if (!consumer) throw new UsageError(`${name} is not fed by a consumer: there is no load to record`);
  const place = natsPlace(nats, environment);
  // Replicas and times are those of the local shop; elsewhere Kubernetes and Prometheus keep them.
  const shop = nats || environment.NATS_URL ? undefined : readShop(undefined, environment);
  const closers: (() => Promise<void> | void)[] = [];
  const stop = untilSignal();
  try {
    const bus = await connect(place, (close) => closers.push(close));
    writeFileSync(out, '');
    console.error(`${name} is recorded for ${request.seconds} s; Ctrl-C ends it sooner`);
    const write = (line: object): void => appendFileSync(out, `${JSON.stringify(line)}\n`);
    const before = (await shop?.points()) ?? [];
    const sources = { bus, stream: consumer.streamName, shop, signal: stop.signal };
    const arrived = await record(request, sources, write);
    if (shop) {
      await delay(TOLD_AFTER_MS);
      write(summaryOf(name, before, await shop.points()));
    }
    const next =
      arrived > 0 ? `; next: npx millrace scale simulate --load ${out}` : ': nothing came, record again under load';
    console.log(`${arrived} messages for ${name} are recorded in ${out}${next}`);
  } finally {
    for (const close of closers) await close();
  }
}
