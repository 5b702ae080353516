/** Files of a mounted secret → what they hold, now and after the secret was replaced; no message has a word of it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Log } from '../log.ts';

/** The value as it is now, or while that cannot be used the last one that could, which is then logged, once. */
export type Renewed = (log: Pick<Log, 'info' | 'error'>) => string;

/** Such as ENOENT; the message of an error could hold what was taken for a path. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';

export const hasSecret = (folder: string, name: string): boolean => existsSync(path.join(folder, name));

/** Content of the file without the newline at its end; undefined when there is none. Throws why it cannot be read. */
export function readSecret(folder: string, name: string): string | undefined {
  try {
    return readFileSync(path.join(folder, name), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Error(`cannot be read from ${folder} (${code})`);
  }
}

/** Read by its path each time: Kubernetes replaces a mounted secret by turning a symbolic link. */
export function renewed(setting: string, first: string, read: () => string): Renewed {
  let good = first;
  let complaint = '';
  return (log) => {
    try {
      const now = read();
      if (now !== good) log.info({ setting }, 'a secret was renewed');
      good = now;
      complaint = '';
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== complaint) log.error({ setting, error: why }, 'a secret cannot be used; the last good one stays');
      complaint = why;
    }
    return good;
  };
}
