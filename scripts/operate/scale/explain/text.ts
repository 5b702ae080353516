/** A function's state → why it has the replicas that it has, what comes next, and what has changed. Pure. */
import type { Failure, Reading } from '../../../platform/scaling/scale.ts';
import type { FunctionState, Grounds } from '../../../platform/scaling/scaler.ts';

type Keda = Extract<Grounds, { by: 'keda' }>;
type Knative = Extract<Grounds, { by: 'knative' }>;

const counted = (count: number): string => `${count} replica${count === 1 ? '' : 's'}`;
const round = (value: number): number => Math.round(value * 10) / 10;
const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1_000))} s`;
const since = (at: string | undefined, now: number): number =>
  at === undefined ? Number.POSITIVE_INFINITY : now - Date.parse(at);

function readingOf(one: Reading | Failure): string {
  if ('problem' in one) return `${one.what} cannot be read: ${one.problem}`;
  const { what, metric, threshold, activation } = one;
  const asks = metric === 0 ? 'asks for none' : `asks for ${Math.ceil(metric / threshold)}`;
  return `${what} is ${metric}, ${threshold} a replica: ${asks}; above ${activation} it wakes the function`;
}

function sleepOf({ cooldownSeconds, lastActiveAt, read }: Keda, { replicas, min }: FunctionState, now: number): string {
  if (replicas === 0) return 'It sleeps until there is something to do.';
  if (min > 0) return `It never sleeps: at least ${counted(min)}.`;
  if (read.some((one) => 'metric' in one && one.metric > one.activation))
    return `It is awake: ${cooldownSeconds} s after the last of its work it sleeps.`;
  const left = cooldownSeconds * 1_000 - since(lastActiveAt, now);
  return `Nothing to do for ${seconds(since(lastActiveAt, now))} of ${cooldownSeconds} s: it sleeps in ${seconds(left)}.`;
}

function kedaLines(scaling: Keda, state: FunctionState, now: number): string[] {
  const { read, held, pollingIntervalSeconds } = scaling;
  const capped = read.some((one) => 'metric' in one && Math.ceil(one.metric / one.threshold) > state.max);
  return [
    ...read.map(readingOf),
    ...(capped ? [`More than ${counted(state.max)} are asked for: maxReplicaCount is ${state.max}.`] : []),
    ...(held && Date.parse(held.until) > now
      ? [
          `Fewer would do, but ${held.replicas} were wanted of late: kept for ${seconds(Date.parse(held.until) - now)} more.`,
        ]
      : []),
    sleepOf(scaling, state, now),
    `It looks again every ${pollingIntervalSeconds} s.`,
  ];
}

function knativeLines(scaling: Knative, { lag, pending, replicas, min, max }: FunctionState, now: number): string[] {
  const { stable, sudden, targetConcurrency, utilization, windowSeconds, retentionSeconds } = scaling;
  const perReplica = round(targetConcurrency * utilization);
  const idle = since(scaling.lastActiveAt, now);
  const left = (windowSeconds + retentionSeconds) * 1_000 - idle;
  const ending =
    lag > 0
      ? `It is awake: ${windowSeconds + retentionSeconds} s after its last request it sleeps.`
      : `No request for ${seconds(idle)} of ${windowSeconds} s and ${retentionSeconds} s: it sleeps in ${seconds(left)}.`;
  const limit = scaling.containerConcurrency === 0 ? 'any number' : `at most ${scaling.containerConcurrency}`;
  return [
    `${lag} requests in work or waiting, ${pending} of them for a replica; a replica takes ${limit} at once`,
    `${round(stable)} at once over ${windowSeconds} s, ${round(sudden)} over ${windowSeconds / 10} s; ${perReplica} a replica: ` +
      `asks for ${Math.min(max, Math.ceil(stable / perReplica))}`,
    ...(min > 0
      ? [`It never sleeps: at least ${counted(min)}.`]
      : replicas === 0
        ? ['It sleeps until a request comes.']
        : [ending]),
  ];
}

function groundsOf(state: FunctionState, now: number): string[] {
  const { scaling } = state;
  if (scaling.by === 'keda') return kedaLines(scaling, state, now);
  if (scaling.by === 'knative') return knativeLines(scaling, state, now);
  return [`It is always on: one replica here, and ${state.min} to ${state.max} on a cluster, by the use of its CPU.`];
}

/** `now`: ms since 1970. */
export function textOf(state: FunctionState, now: number): string {
  const { name, replicas, ready, min, max, changes, problem } = state;
  const serving = ready === replicas ? '' : `, ${ready} of them ready`;
  const [last, ...before] = changes;
  const told = changes.map(({ at, from, to, why }) => `  ${at}  ${from} → ${to}  ${why}`);
  return [
    `${name} has ${counted(replicas)}${serving}; at least ${min}, at most ${max}.`,
    ...(problem ? [`It has a problem: ${problem}`] : []),
    ...(last ? [`Since ${last.at}: ${last.why}`] : []),
    '',
    ...groundsOf(state, now).map((line) => `  ${line}`),
    ...(before.length > 0 ? ['', 'Last changes:', ...told] : []),
  ].join('\n');
}
