/** Files of a mounted secret → what they hold. Read by its path each time: Kubernetes replaces a mounted secret by turning a symbolic link. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../settings.ts';

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
