/** Simulations of one load → a table, and the replicas over time as a chart of characters. Pure. */
import type { Simulation } from '../model/model.ts';
import type { Curve } from '../model/statistics.ts';
import type { Recording } from '../recording.ts';

export type Named = { readonly name: string; readonly simulation: Simulation };

const BLOCKS = ' ▁▂▃▄▅▆▇█';
const COLUMNS = 60;
const ROWS = 4;

const duration = (seconds: number): string => {
  if (seconds === 0) return '0';
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1_000))} ms`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  return seconds < 7_200 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3_600).toFixed(1)} h`;
};
const whole = (value: number): string => Math.round(value).toLocaleString('en');

const ROWS_OF_TABLE: readonly (readonly [string, (simulation: Simulation) => string])[] = [
  ['wait, p50', ({ waits }) => duration(waits.p50)],
  ['wait, p95', ({ waits }) => duration(waits.p95)],
  ['wait, longest', ({ waits }) => duration(waits.max)],
  ['most replicas', ({ peakReplicas }) => whole(peakReplicas)],
  ['pods started', ({ podsStarted }) => whole(podsStarted)],
  ['pod-seconds', ({ podSeconds }) => whole(podSeconds)],
  ['of always on', ({ podSeconds, alwaysOnPodSeconds }) => `${whole((100 * podSeconds) / alwaysOnPodSeconds)} %`],
  ['messages handled', ({ handled }) => whole(handled)],
  ['messages stranded', ({ left }) => whole(left)],
];

/** The most in each of equal parts of the time. */
function binned(curve: Curve, seconds: number): number[] {
  const bins = Array.from({ length: COLUMNS }, () => 0);
  for (const [index, [from, value]] of curve.entries()) {
    const until = curve[index + 1]?.[0] ?? seconds;
    const last = Math.min(COLUMNS - 1, Math.ceil((until / seconds) * COLUMNS) - 1);
    for (let bin = Math.floor((from / seconds) * COLUMNS); bin <= last; bin += 1)
      bins[bin] = Math.max(bins[bin] ?? 0, value);
  }
  return bins;
}

function chart({ name, simulation }: Named, seconds: number, most: number): string[] {
  const bins = binned(simulation.replicas, seconds);
  const label = String(most);
  const rows = Array.from({ length: ROWS }, (_, row) => {
    const blocks = bins.map((value) => {
      const eighths = Math.round((value / most) * ROWS * 8) - (ROWS - 1 - row) * 8;
      return BLOCKS[Math.max(0, Math.min(8, eighths))];
    });
    return `${(row === 0 ? label : '').padStart(label.length)} │${blocks.join('').trimEnd()}`;
  });
  const end = duration(seconds);
  const axis = `${'0'.padStart(label.length)} └${'─'.repeat(COLUMNS)}`;
  return [`replicas, ${name}`, ...rows, axis, `${' '.repeat(label.length + 2)}${end.padStart(COLUMNS)}`];
}

export function textOf(runs: readonly Named[]): string {
  const width = Math.max(...ROWS_OF_TABLE.map(([what]) => what.length)) + 2;
  const columns = runs.map(({ name, simulation }) => {
    const cells = [name, ...ROWS_OF_TABLE.map(([, cell]) => cell(simulation))];
    const widest = Math.max(...cells.map((cell) => cell.length));
    return cells.map((cell) => cell.padStart(widest));
  });
  const whats = ['', ...ROWS_OF_TABLE.map(([what]) => what)];
  const table = whats.map((what, row) => [what.padEnd(width), ...columns.map((column) => column[row])].join('  '));
  const seconds = Math.max(1, ...runs.map(({ simulation }) => simulation.seconds));
  const most = Math.max(1, ...runs.map(({ simulation }) => simulation.peakReplicas));
  return [...table, ...runs.flatMap((run) => ['', ...chart(run, seconds, most)])].join('\n');
}

/** What was seen while it was recorded, to hold the simulation of today's rule against; nothing where it was not asked. */
export function recordedText({ samples, summary }: Recording): string[] {
  const replicas = samples.flatMap((sample) => sample.replicas ?? []);
  const waits = summary?.waits;
  const seen = [
    ...(waits ? [`wait p50 ${duration(waits.p50)}, p95 ${duration(waits.p95)}`] : []),
    ...(replicas.length > 0 ? [`most replicas ${Math.max(0, ...replicas)}`] : []),
  ];
  return seen.length > 0 ? ['', `recorded: ${seen.join('; ')}`] : [];
}
