/** Where fetched programs are kept between runs, and how one gets there: whole or not at all, also when two runs do it at once. */
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { repository } from '../../registry/repository.ts';

const hourMs = 3_600_000;

/** `$XDG_CACHE_HOME/millrace` or `~/.cache/millrace`, or `.local/cache` of the repository if that cannot be written. */
export async function cacheFolder(env: NodeJS.ProcessEnv): Promise<string> {
  const base = env.XDG_CACHE_HOME || path.join(env.HOME || os.homedir(), '.cache');
  const candidates = [path.join(base, 'millrace'), path.join(repository, '.local', 'cache')];
  const reasons: string[] = [];
  for (const folder of candidates) {
    try {
      await mkdir(folder, { recursive: true });
      await rm(await mkdtemp(path.join(folder, '.install-')), { recursive: true });
      return folder;
    } catch (error) {
      reasons.push(`${folder}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`no writable cache folder (set XDG_CACHE_HOME to one):\n  ${reasons.join('\n  ')}`);
}

/** `fill` gets an empty work folder and gives the path of the finished program in it, which then appears at `target`. */
export async function installProgram(target: string, fill: (work: string) => Promise<string>): Promise<void> {
  const folder = path.dirname(target);
  await sweep(folder);
  const work = await mkdtemp(path.join(folder, '.install-'));
  try {
    const program = await fill(work);
    await chmod(program, 0o755);
    await rename(program, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith('.install-')) continue;
    const left = path.join(folder, name);
    const state = await stat(left).catch(() => undefined);
    if (state !== undefined && Date.now() - state.mtimeMs > hourMs) await rm(left, { recursive: true, force: true });
  }
}
