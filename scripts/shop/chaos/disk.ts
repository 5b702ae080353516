/** A folder → a disk of its own with little room, in a user namespace (Linux, no root needed), that can be filled up. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export type Disk = {
  /** A command that starts the program named after it where the disk is in the folder. */
  readonly launcher: readonly string[];
  /** Leaves no room on it for so long, not even what others free meanwhile. */
  fill(lastsMs: number): Promise<void>;
  /** The disk is gone when its programs have ended too; its files are put into the folder itself when `keep`. */
  close(keep: boolean): Promise<void>;
};

/** More than a run of an hour stores. */
const SIZE = '512m';
const BLOCK = Buffer.alloc(1024 * 1024);
const REFILL_MS = 50;
// It ends with its input, so with this process, however that ends.
const MOUNT = `mount -t tmpfs -o size=${SIZE} tmpfs "$1" && echo ready && exec cat`;

/** Resolves to why it could not be made, or to undefined when it is there. */
async function problemOf(holder: ChildProcess): Promise<string | undefined> {
  let said = '';
  holder.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const why = await Promise.race([
    once(holder, 'error').then(([error]: Error[]) => error?.message),
    once(holder, 'close').then(() => said.trim().split('\n').at(-1) || 'unshare ended'),
    holder.stdout && once(holder.stdout, 'data').then(() => undefined),
  ]);
  return why ?? undefined;
}

async function writeUntilFull(file: FileHandle): Promise<void> {
  try {
    for (;;) await file.write(BLOCK);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  }
}

/** Makes the folder; `problem` is why this machine does not allow it. */
export async function openDisk(folder: string): Promise<Disk | { readonly problem: string }> {
  await mkdir(folder, { recursive: true });
  const args = ['--user', '--map-root-user', '--mount', 'sh', '-c', MOUNT, 'sh', folder];
  const holder = spawn('unshare', args, { stdio: 'pipe' });
  const problem = await problemOf(holder);
  if (problem !== undefined) return { problem };
  const pid = String(holder.pid);
  const launcher = ['nsenter', '--target', pid, '--user', '--mount', '--preserve-credentials'];
  const inside = path.join('/proc', pid, 'root', folder);
  const close = async (keep: boolean): Promise<void> => {
    if (keep) await cp(inside, folder, { recursive: true });
    holder.kill();
  };
  try {
    await promisify(execFile)('nsenter', [...launcher.slice(1), 'test', '-d', folder]);
  } catch (error) {
    await close(false);
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  return {
    launcher,
    async fill(lastsMs) {
      const end = Date.now() + lastsMs;
      const name = path.join(inside, 'filling');
      const file = await open(name, 'wx');
      try {
        // Without a name nobody takes it for one of theirs, and its room is free again when it is closed.
        await rm(name);
        while (Date.now() < end) {
          await writeUntilFull(file);
          await delay(REFILL_MS);
        }
      } finally {
        await file.close();
      }
    },
    close,
  };
}
