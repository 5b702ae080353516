/** This machine → prometheus and promtool of 3.0 or newer: those it has, else Debian's, fetched once into the cache. */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, installProgram } from '../../scripts/platform/servers/cache.ts';
import { fetchDebianPackages } from '../../scripts/platform/servers/debian-package.ts';

const run = promisify(execFile);
const PROGRAMS = ['prometheus', 'promtool'] as const;
type Program = (typeof PROGRAMS)[number];
export type PrometheusPrograms = Readonly<Record<Program, string>>;

/** Before 3.0 names of metrics that come by OTLP are others. */
const OLDEST_MAJOR = 3;

async function isGood(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    const { stdout } = await run(file, ['--version'], { timeout: 10_000 });
    return Number(/version (\d+)\./.exec(stdout)?.[1]) >= OLDEST_MAJOR;
  } catch {
    return false;
  }
}

async function firstGood(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) if (await isGood(file)) return file;
  return undefined;
}

async function fetchPrograms(targetOf: (program: Program) => string, env: NodeJS.ProcessEnv): Promise<void> {
  console.log('prometheus and promtool: fetching the Debian packages (once, a few seconds)');
  await installProgram(targetOf('promtool'), async (work) => {
    const unpacked = path.join(await fetchDebianPackages(work, env, PROGRAMS), 'usr/bin');
    for (const program of PROGRAMS)
      if (!(await isGood(path.join(unpacked, program))))
        throw new Error(`Debian's ${program} does not run here, or is older than ${OLDEST_MAJOR}.0`);
    await installProgram(targetOf('prometheus'), async () => path.join(unpacked, 'prometheus'));
    return path.join(unpacked, 'promtool');
  });
}

/** Order: PATH, cache, Debian packages. Throws what to do when there is none: what is proven by them is proven by nothing else. */
export async function obtainPrometheus(env: NodeJS.ProcessEnv = process.env): Promise<PrometheusPrograms> {
  const folder = await cacheFolder(env);
  const targetOf = (program: Program): string => path.join(folder, `${program}-${process.platform}-${process.arch}`);
  const onPath = (env.PATH ?? '').split(path.delimiter).filter((one) => path.isAbsolute(one));
  const find = (program: Program) => firstGood([...onPath.map((one) => path.join(one, program)), targetOf(program)]);
  const [prometheus, promtool] = await Promise.all(PROGRAMS.map(find));
  if (prometheus && promtool) return { prometheus, promtool };
  try {
    await fetchPrograms(targetOf, env);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `prometheus and promtool ${OLDEST_MAJOR}.0 or newer are neither on PATH nor to be had from Debian (${why}). ` +
        'Install both on PATH, from https://prometheus.io/download or by brew install prometheus.',
      { cause: error },
    );
  }
  return { prometheus: targetOf('prometheus'), promtool: targetOf('promtool') };
}
