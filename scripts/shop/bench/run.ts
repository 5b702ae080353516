/** Parts and the words of a call → the parts measured one after another, a table, and results.json, table.md and plots in a folder. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readOptions, UsageError } from '../../cli/cli.ts';
import { toSvg } from '../../operate/scale/svg.ts';
import { openCleanup } from '../../platform/servers/cleanup.ts';
import { type Machine, machineLine } from './machine.ts';
import type { Part } from './part.ts';
import { hasFailed, judged, type Outcome } from './results.ts';
import { toTable } from './table.ts';

export type Around = {
  /** Of all runs: each gets a folder in it, and `latest` leads to the newest. */
  readonly folder: string;
  machine(): Promise<Machine>;
  say(line: string): void;
};

export const usage = (parts: readonly Part[]): string =>
  [
    'usage: npm run bench [-- <part>...]',
    ...parts.map(({ name, about }) => `  ${name.padEnd(16)} ${about}`),
    'Without a part it runs all; results go to .local/bench/latest/.',
  ].join('\n');

/** In the order of the list, whatever that of the words is; throws UsageError for a part that there is not. */
function choose(parts: readonly Part[], names: readonly string[]): readonly Part[] {
  const unknown = names.find((name) => !parts.some((part) => part.name === name));
  if (unknown !== undefined)
    throw new UsageError(`there is no part '${unknown}'; there are ${parts.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? parts : parts.filter(({ name }) => names.includes(name));
}

async function measure({ name, about, run }: Part): Promise<Outcome> {
  const began = Date.now();
  const cleanup = openCleanup();
  const result = await run(cleanup).catch((error: unknown) => {
    console.error(error);
    return { failed: error instanceof Error ? error.message : String(error) };
  });
  await cleanup.unwind();
  return { name, about, seconds: Math.round((Date.now() - began) / 1_000), result };
}

/** Into a folder of its own; its path. */
async function write({ folder }: Around, machine: Machine, outcomes: readonly Outcome[]): Promise<string> {
  const name = machine.date.replaceAll(/[:.]/g, '-');
  const target = path.join(folder, name);
  await mkdir(target, { recursive: true });
  const results = { machine, parts: outcomes.map(judged) };
  await writeFile(path.join(target, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
  const plots = outcomes.flatMap(({ result }) => ('failed' in result ? [] : (result.plots ?? [])));
  for (const plot of plots) await writeFile(path.join(target, `${plot.name}.svg`), toSvg(plot));
  const images = plots.map((plot) => `![${plot.title}](${plot.name}.svg)`);
  const text = [machineLine(machine), toTable(outcomes), ...images].join('\n\n');
  await writeFile(path.join(target, 'table.md'), `${text}\n`);
  const latest = path.join(folder, 'latest');
  await rm(latest, { force: true });
  await symlink(name, latest);
  return target;
}

/** Resolves to the exit code: 1 when a part failed; what is not reached is told, and is no failure. */
export async function bench(parts: readonly Part[], args: readonly string[], around: Around): Promise<number> {
  const { values, positionals } = readOptions(args, { help: { type: 'boolean' } });
  const { say } = around;
  if (values.help) {
    say(usage(parts));
    return 0;
  }
  const chosen = choose(parts, positionals);
  const machine = await around.machine();
  const outcomes: Outcome[] = [];
  for (const part of chosen) {
    say(`${part.name}: ${part.about}`);
    const outcome = await measure(part);
    outcomes.push(outcome);
    say(`${part.name}: ${hasFailed(outcome) ? 'failed' : 'measured'} after ${outcome.seconds} s`);
  }
  const folder = await write(around, machine, outcomes);
  say(`\n${machineLine(machine)}\n\n${toTable(outcomes)}\n\nwritten to ${folder}`);
  return outcomes.some(hasFailed) ? 1 : 0;
}
