import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arrivalsOf, SHAPES, type Shape } from '../../scripts/operate/scale/model/load.ts';
import { type Simulation, simulate } from '../../scripts/operate/scale/model/model.ts';
import { type Curve, quantile } from '../../scripts/operate/scale/model/statistics.ts';
import {
  asEventRule,
  CLUSTERS,
  KUBERNETES_DEFAULTS,
  type Times,
  type TunedRule,
} from '../../scripts/operate/scale/rule.ts';
import { type Fleet, openFleet } from '../../scripts/platform/scaling/fleet.ts';
import { openMetrics } from '../../scripts/platform/scaling/metrics.ts';
import type { FunctionState } from '../../scripts/platform/scaling/scaler.ts';
import { repository } from '../../scripts/registry/repository.ts';
import type { Bundle } from '../../scripts/ship/build.ts';
import { compile } from '../../scripts/ship/bundle/compile.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { IN_FLIGHT } from '../support/slow-function/facts.ts';
import { until } from '../support/until.ts';

/** Parts of the simulated p95 that it may be longer and shorter, and seconds on top, of what a busy machine does meanwhile. */
const WAIT_BOUND = { longer: 0.3, seconds: 0.8, shorter: 0.2 };
/** Of the pod-seconds of the simulation: how much may lie between the curves of replicas. */
const CURVE_BOUND = 0.25;
const PHASES = 40;

const RULE: TunedRule = {
  ...KUBERNETES_DEFAULTS,
  pollingInterval: 1,
  cooldownPeriod: 3,
  min: 0,
  max: 4,
  // So that each shape comes to another number of replicas than it would by half or twice as much.
  lagThreshold: 50,
  activationLagThreshold: 0,
  scaleDownStabilization: 3,
  inFlight: IN_FLIGHT,
  maxAckPending: 64,
};
const SECONDS = 10;
const LOADS: Readonly<Record<Shape, { readonly name: string; readonly messages: number }>> = {
  spike: { name: 'create-order', messages: 260 },
  day: { name: 'pay-order', messages: 220 },
  ramp: { name: 'ship-order', messages: 240 },
};
const SUBJECTS: Readonly<Record<Shape, string>> = {
  spike: 'command.order.create',
  day: 'command.order.pay',
  ramp: 'command.order.ship',
};

type Measured = { readonly waits: Float64Array; readonly replicas: Curve; readonly seconds: number };

let folder: string;
let backends: Backends;
let fleet: Fleet;
const database = new pg.Pool({ max: 1 });

async function bundlesOf(names: readonly string[]): Promise<Bundle[]> {
  const entries = names.map((name) => ({ name, source: 'test/support/slow-function/function.ts' }));
  const { outputFiles } = await compile(repository, entries, { external: [], instrumented: false });
  for (const { path: at, contents } of outputFiles) {
    const file = path.join(folder, path.relative(path.join(repository, 'dist'), at));
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, contents);
  }
  return names.map((name) => ({ name, kind: 'command', file: path.join(folder, name, 'main.cjs') }) as Bundle);
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-scale-'));
  backends = await startBackends({ keys: true });
  const names = Object.values(LOADS).map(({ name }) => name);
  const rules = names.map((name) => ({
    ...asEventRule(RULE),
    name,
    triggers: [
      {
        type: 'nats-jetstream' as const,
        stream: 'COMMANDS',
        consumer: name,
        lagThreshold: RULE.lagThreshold,
        activationLagThreshold: RULE.activationLagThreshold,
      },
    ],
  }));
  const environment = ({ name }: Bundle) => ({
    HOST: '127.0.0.1',
    PORT: '0',
    NATS_URL: backends.natsUrl,
    NATS_SEED_FILE: backends.seedFiles[name] ?? '',
    NODE_COMPILE_CACHE: path.join(folder, 'cache'),
  });
  fleet = openFleet({ bundles: await bundlesOf(names), rules, environment, logs: folder });
  fleet.startScaling(openMetrics(backends.natsMonitorUrl, database));
  await until('the first polls', () => fleet.notReady().length === 0);
}, 120_000);

afterAll(async () => {
  fleet?.stopScaling();
  await fleet?.stopFunctions();
  await database.end();
  await backends?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const stateOf = (name: string): FunctionState => {
  const state = fleet.states().find((one) => one.name === name);
  if (!state) throw new Error(`no state of ${name}`);
  return state;
};

/** Sends each message in its time; gives when it was sent, in ms since `from`. */
async function send(shape: Shape, from: number): Promise<Float64Array> {
  const sent: Promise<number>[] = [];
  for (const at of arrivalsOf({ shape, messages: LOADS[shape].messages, seconds: SECONDS }, 11)) {
    const restMs = from + at - Date.now();
    if (restMs > 0) await delay(restMs);
    const sentAt = Date.now();
    const id = `${shape}-${sent.length}`;
    const stored = backends.bus.publish(SUBJECTS[shape], JSON.stringify({ sentAt }), {}, id);
    sent.push(stored.then(() => sentAt - from));
  }
  return Float64Array.from(await Promise.all(sent)).sort();
}

type Line = { readonly msg?: string; readonly waitedMs: number; readonly tookMs: number };

/** What a process says as it breaks is no line of the log. */
function parsed(line: string): Line[] {
  try {
    return [JSON.parse(line) as Line];
  } catch {
    return [];
  }
}

function logOf(name: string): Line[] {
  const lines = readFileSync(path.join(folder, `${name}.log`), 'utf8').split('\n');
  return lines.flatMap(parsed).filter(({ msg }) => msg === 'measured');
}

const timesOf = (values: readonly number[]): Times => {
  const sorted = Float64Array.from(values).sort();
  return { p50: Math.max(1, quantile(sorted, 0.5)), p95: Math.max(1, quantile(sorted, 0.95)) };
};

/** ms from a wish for more replicas until as many are ready, as far as it is seen. */
async function watchStarts(names: readonly string[], signal: AbortSignal): Promise<number[]> {
  const starts: number[] = [];
  const wishes = new Map<string, { readonly count: number; readonly at: number }>();
  while (!signal.aborted) {
    for (const { name, replicas, ready } of names.map(stateOf)) {
      const wish = wishes.get(name);
      if (wish && ready >= wish.count) {
        starts.push(Date.now() - wish.at);
        wishes.delete(name);
      } else if (!wish && replicas > ready) wishes.set(name, { count: replicas, at: Date.now() });
      else if (wish && replicas < wish.count) wishes.delete(name);
    }
    await delay(20);
  }
  return starts;
}

const valueAt = (curve: Curve, t: number): number => curve.findLast(([from]) => from <= t)?.[1] ?? 0;
const STEP = 0.1;
/** Of two curves: what lies between them, and below each, until a time. */
function areas(one: Curve, other: Curve, seconds: number) {
  const steps = Array.from({ length: Math.ceil(seconds / STEP) }, (_, index) => index * STEP);
  const sum = (value: (t: number) => number) => steps.reduce((all, t) => all + value(t) * STEP, 0);
  return {
    apart: sum((t) => Math.abs(valueAt(one, t) - valueAt(other, t))),
    one: sum((t) => valueAt(one, t)),
    other: sum((t) => valueAt(other, t)),
  };
}

type Run = { readonly shape: Shape; readonly measured: Measured; readonly predicted: readonly Simulation[] };
const runs: Run[] = [];

async function measure(shape: Shape, from: number): Promise<{ load: Float64Array; measured: Measured }> {
  const { name, messages } = LOADS[shape];
  const load = await send(shape, from);
  await until(`${name} to be done`, () => logOf(name).length === messages, 60_000);
  await until(`${name} to sleep`, () => stateOf(name).replicas === 0, 30_000);
  const changes = stateOf(name).changes.toReversed();
  const replicas = changes.map(({ at, to }) => [(Date.parse(at) - from) / 1_000, to] as const).filter(([t]) => t >= 0);
  const waits = Float64Array.from(logOf(name).map(({ waitedMs }) => waitedMs / 1_000)).sort();
  return { load, measured: { waits, replicas: [[0, 0], ...replicas], seconds: replicas.at(-1)?.[0] ?? 0 } };
}

describe('On the local platform, as the simulation says of', () => {
  beforeAll(async () => {
    const stop = new AbortController();
    const names = Object.values(LOADS).map(({ name }) => name);
    const watched = watchStarts(names, stop.signal);
    const from = Date.now() + 100;
    const ends = await Promise.all(SHAPES.map(async (shape) => ({ shape, ...(await measure(shape, from)) })));
    stop.abort();
    const cluster = { ...CLUSTERS.local, podStart: timesOf(await watched) };
    for (const { shape, load, measured } of ends) {
      const service = { ms: timesOf(logOf(LOADS[shape].name).map(({ tookMs }) => tookMs)), batch: 1 };
      const seeds = Array.from({ length: PHASES }, (_, index) => index + 1);
      const predicted = seeds.map((seed) => simulate({ rule: RULE, load, service, cluster, seed }));
      runs.push({ shape, measured, predicted });
    }
  }, 120_000);

  const runOf = (shape: Shape): Run => {
    const run = runs.find((one) => one.shape === shape);
    if (!run) throw new Error(`no run of ${shape}`);
    return run;
  };

  test.each(SHAPES)('a %s, 95 of 100 messages wait as long', (shape) => {
    const { measured, predicted } = runOf(shape);
    const p95 = quantile(measured.waits, 0.95);
    const said = predicted.map(({ waits }) => waits.p95);
    expect(p95).toBeLessThan(Math.max(...said) * (1 + WAIT_BOUND.longer) + WAIT_BOUND.seconds);
    expect(p95).toBeGreaterThan(Math.min(...said) * (1 - WAIT_BOUND.shorter));
  });

  test.each(SHAPES)('a %s, replicas come and go alike', (shape) => {
    const { measured, predicted } = runOf(shape);
    const compared = predicted.map(({ replicas, seconds }) =>
      areas(measured.replicas, replicas, Math.max(seconds, measured.seconds)),
    );
    // The phase of the polls is not known: one of them must fit.
    const nearest = Math.min(...compared.map(({ apart, other }) => apart / other));
    expect(nearest).toBeLessThan(CURVE_BOUND);
    const peaks = predicted.map(({ peakReplicas }) => peakReplicas);
    const peak = Math.max(...measured.replicas.map(([, count]) => count));
    expect(peak).toBeGreaterThanOrEqual(Math.min(...peaks));
    // A machine that is slower meanwhile may need one more.
    expect(peak).toBeLessThanOrEqual(Math.max(...peaks) + 1);
  });
});
