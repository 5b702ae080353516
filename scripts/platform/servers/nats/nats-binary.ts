/** This machine → a nats-server program of 2.12 or newer: the one it has, else one fetched into the cache; needs neither root nor Docker. */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, installProgram } from '../cache.ts';
import { fetchDebianPackages } from '../debian-package.ts';
import { fetchRelease, type ReleaseSource } from './nats-release.ts';

const run = promisify(execFile);
const minimum = { major: 2, minor: 12 };
const minimumText = `${minimum.major}.${minimum.minor}`;

export type NatsBinary = { path: string; version: string; from: string };
export type ObtainOptions = { env?: NodeJS.ProcessEnv; release?: ReleaseSource };

/** Order: NATS_SERVER_BIN, PATH, cache, release tarball, Debian package. `options` are for tests. */
export async function obtainNatsServer(
  progress: (line: string) => void,
  options: ObtainOptions = {},
): Promise<NatsBinary> {
  const env = options.env ?? process.env;
  const named = env.NATS_SERVER_BIN;
  if (named) return fromEnvironment(named);

  const failures: string[] = [];
  const installed = await findOnPath(env.PATH ?? '');
  if (installed === undefined) failures.push('PATH: no nats-server');
  const candidates: [string, string | undefined][] = [['PATH', installed]];
  const cached = path.join(await cacheFolder(env), `nats-server-${process.platform}-${process.arch}`);
  if (await isExecutable(cached)) candidates.push(['cache', cached]);
  for (const [from, file] of candidates) {
    if (file === undefined) continue;
    try {
      return { path: file, version: await checkedVersion(file), from };
    } catch (error) {
      failures.push(`${from}: ${messageOf(error)}`);
    }
  }
  return fetchInto(cached, progress, failures, [
    ['release tarball', (work) => fetchRelease(work, env, options.release)],
    [
      'Debian package',
      async (work) => path.join(await fetchDebianPackages(work, env, ['nats-server']), 'usr/sbin/nats-server'),
    ],
  ]);
}

type Way = [name: string, fetch: (work: string) => Promise<string>];

async function fetchInto(
  target: string,
  progress: (line: string) => void,
  failures: string[],
  ways: readonly Way[],
): Promise<NatsBinary> {
  for (const [from, fetch] of ways) {
    progress(`nats-server: fetching the ${from} (once, a few seconds)`);
    try {
      let version = '';
      await installProgram(target, async (work) => {
        const program = await fetch(work);
        version = await checkedVersion(program);
        return program;
      });
      progress(`nats-server: ${version} is now in ${target}`);
      return { path: target, version, from };
    } catch (error) {
      failures.push(`${from}: ${messageOf(error)}`);
    }
  }
  const hint = process.platform === 'darwin' ? ' (brew install nats-server)' : '';
  throw new Error(
    `nats-server ${minimumText} or newer could not be found or fetched:\n${failures.map((line) => `  - ${line}`).join('\n')}\n` +
      `Install it on PATH${hint}, or set NATS_SERVER_BIN to the program.`,
  );
}

async function fromEnvironment(file: string): Promise<NatsBinary> {
  try {
    return { path: path.resolve(file), version: await checkedVersion(path.resolve(file)), from: 'NATS_SERVER_BIN' };
  } catch (error) {
    throw new Error(
      `NATS_SERVER_BIN: ${messageOf(error)}. Set it to a nats-server ${minimumText} or newer, or unset it.`,
      { cause: error },
    );
  }
}

async function checkedVersion(file: string): Promise<string> {
  const { stdout } = await run(file, ['--version'], { timeout: 10_000 }).catch((error: unknown) => {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    const why = code === 'ENOENT' ? 'does not exist' : code === 'EACCES' ? 'is not executable' : 'does not run here';
    throw new Error(`${file} ${why}`, { cause: error });
  });
  const [, version = '', major, minor] = /v?((\d+)\.(\d+)\.\S+)/.exec(stdout) ?? [];
  if (version === '') throw new Error(`${file} --version answers "${stdout.trim()}", not a version of nats-server`);
  const enough = Number(major) > minimum.major || (Number(major) === minimum.major && Number(minor) >= minimum.minor);
  if (!enough) throw new Error(`${file} is version ${version}, and ${minimumText} or newer is needed`);
  return version;
}

async function findOnPath(searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(path.delimiter)) {
    if (!path.isAbsolute(folder)) continue;
    const file = path.join(folder, 'nats-server');
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
