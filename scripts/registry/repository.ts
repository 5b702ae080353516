/** Where this repository is, and paths of it as they are told to people. */
import path from 'node:path';

export const repository = path.resolve(import.meta.dirname, '../..');

/** A path as it is told to people: from the repository, if it is in it. */
export function shown(file: string): string {
  const relative = path.relative(repository, file);
  return relative.startsWith('..') ? file : relative;
}
