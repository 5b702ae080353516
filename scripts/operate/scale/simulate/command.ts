/** `millrace scale simulate`: today's rule and a proposed one under the same load, side by side, and drawn. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type Environment, readOptions, refuseNowhere, UsageError } from '../../../cli/cli.ts';
import { arrivalsOf, arrivalsOfSeries, SHAPES, type Shape } from '../model/load.ts';
import { simulate } from '../model/model.ts';
import type { Curve } from '../model/statistics.ts';
import { readShop } from '../platform.ts';
import { handlerTimes } from '../record/histogram.ts';
import { type Recording, readRecording, seriesOf } from '../recording.ts';
import { CLUSTERS, type Service, type Times } from '../rule.ts';
import { toSvg } from '../svg.ts';
import { todayOf } from '../today.ts';
import { withSet } from './set.ts';
import { type Named, recordedText, textOf } from './text.ts';

const OPTIONS = {
  function: { type: 'string' },
  overlay: { type: 'string' },
  local: { type: 'boolean' },
  load: { type: 'string' },
  shape: { type: 'string' },
  messages: { type: 'string' },
  seconds: { type: 'string' },
  ms: { type: 'string' },
  'pod-start': { type: 'string' },
  set: { type: 'string' },
  seed: { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean' },
} as const;

const SECONDS: Readonly<Record<Shape, number>> = { spike: 300, day: 86_400, ramp: 600 };
type Handler = { readonly ms: Times; readonly source: string };
/** Taken where nobody measured. */
const ASSUMED: Handler = {
  ms: { p50: 50, p95: 200 },
  source: ', which is assumed: --ms or the load of scale record says better',
};

/** A day at a line a tenth of a second is a quarter of it. */
const MOST_LOAD_BYTES = 200_000_000;

function number(option: string, text: string | undefined, preset: number, most: number): number {
  if (text === undefined) return preset;
  if (/^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw new UsageError(`--${option} must be a whole number from 1 to ${most}, not '${text}'`);
}

function timesOf(option: string, text: string): Times {
  const [, p50 = '', p95 = p50] = /^(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?$/.exec(text) ?? [];
  if (Number(p50) > 0 && Number(p95) >= Number(p50)) return { p50: Number(p50), p95: Number(p95) };
  throw new UsageError(`--${option} takes the middle time and that of 95 of 100, in ms, such as 50,200, not '${text}'`);
}

function readLoad(file: string): Recording {
  if (!existsSync(file)) throw new UsageError(`--load: there is no file ${file}`);
  const found = statSync(file);
  if (!found.isFile() || found.size > MOST_LOAD_BYTES)
    throw new UsageError(`--load: ${file} must be a file of at most ${MOST_LOAD_BYTES / 1e6} MB`);
  return readRecording(readFileSync(file, 'utf8'), file);
}

const isShape = (text: string): text is Shape => SHAPES.some((shape) => shape === text);

function readArguments(args: readonly string[]) {
  const { values, positionals } = readOptions(args, OPTIONS);
  if (positionals.length > 0) throw new UsageError(`scale simulate takes no '${positionals[0]}'`);
  const { load, shape = 'spike', out } = values;
  if (load !== undefined && (values.shape ?? values.messages ?? values.seconds) !== undefined)
    throw new UsageError('--load has its own shape: leave out --shape, --messages and --seconds');
  if (!isShape(shape)) throw new UsageError(`--shape is one of ${SHAPES.join(', ')}, not '${shape}'`);
  if (values.local && values.overlay) throw new UsageError('--local is what npm start reads: leave out --overlay');
  if (values.overlay !== undefined && !/^[a-z0-9-]+$/.test(values.overlay))
    throw new UsageError(`--overlay takes a folder of knative/overlays, not '${values.overlay}'`);
  if (out !== undefined && !out.endsWith('.svg')) throw new UsageError(`--out writes an .svg file, not '${out}'`);
  if (out !== undefined) refuseNowhere(out);
  return {
    ...values,
    shape,
    local: values.local ?? false,
    messages: number('messages', values.messages, 1_000, 20_000_000),
    seconds: number('seconds', values.seconds, SECONDS[shape], 31_536_000),
    seed: number('seed', values.seed, 1, 999_999_999),
  };
}

/** Each value until the next one. */
const stairs = (curve: Curve, seconds: number): Curve =>
  curve.flatMap(([t, value], index) => [[t, value] as const, [curve[index + 1]?.[0] ?? seconds, value] as const]);

function drawn(title: string, runs: readonly Named[]): string {
  const series = runs.map(({ name, simulation }) => ({
    name,
    points: stairs(simulation.replicas, simulation.seconds),
  }));
  return toSvg({ name: 'simulation', title, x: { label: 'seconds' }, y: { label: 'replicas' }, series });
}

/** As the shop that npm start runs has measured it, if one runs and has. */
async function measured(name: string, environment: Environment): Promise<Handler | undefined> {
  try {
    const ms = handlerTimes(await readShop(undefined, environment).points(), name);
    return ms && { ms, source: ', as the shop that runs here has measured it' };
  } catch {
    return undefined;
  }
}

async function handlerOf(
  name: string,
  given: string | undefined,
  recording: Recording | undefined,
  environment: Environment,
): Promise<Handler> {
  if (given !== undefined) return { ms: timesOf('ms', given), source: '' };
  const recorded = recording?.summary?.handlerMs;
  if (recorded) return { ms: recorded, source: ', as recorded' };
  return (await measured(name, environment)) ?? ASSUMED;
}

export async function simulateCommand(args: readonly string[], environment: Environment = process.env): Promise<void> {
  const request = readArguments(args);
  const { shape, messages, seconds, seed, local } = request;
  const recording = request.load === undefined ? undefined : readLoad(request.load);
  const name = request.function ?? recording?.header?.function;
  if (!name) throw new UsageError('which function? --function takes its name');
  const { rule, service: taken } = await todayOf(name, local ? undefined : (request.overlay ?? 'production'));
  const proposed = request.set === undefined ? undefined : withSet(rule, request.set, local);
  const { ms, source } = await handlerOf(name, request.ms, recording, environment);
  const profile = CLUSTERS[local ? 'local' : 'kubernetes'];
  const podStart = request['pod-start'] === undefined ? profile.podStart : timesOf('pod-start', request['pod-start']);
  const service: Service = { ms, ...taken };
  const load = recording ? arrivalsOfSeries(seriesOf(recording), seed) : arrivalsOf({ shape, messages, seconds }, seed);
  const situation = { load, service, cluster: { ...profile, podStart }, seed };
  const runs: Named[] = [
    { name: 'today', simulation: simulate({ ...situation, rule }) },
    ...(proposed ? [{ name: request.set ?? '', simulation: simulate({ ...situation, rule: proposed }) }] : []),
  ];
  const what = recording ? `the load of ${request.load}` : `a ${shape} of ${messages} messages in ${seconds} s`;
  const where = local ? 'the local platform' : 'Kubernetes';
  const title = `${name} under ${what}, on ${where}`;
  if (request.out !== undefined) writeFileSync(request.out, drawn(title, runs));
  if (request.json)
    return console.log(
      JSON.stringify({ function: name, service, cluster: situation.cluster, seed, rule, proposed, runs }),
    );
  const { p50, p95 } = service.ms;
  console.log(`${title}, seed ${seed}`);
  console.log(`handler ${p50} ms, 95 of 100 within ${p95} ms${source}\n`);
  console.log(textOf(runs));
  if (recording) for (const line of recordedText(recording)) console.log(line);
  if (request.out !== undefined) console.log(`\n${request.out} is written`);
}
