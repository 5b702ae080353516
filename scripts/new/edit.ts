/** How a text of the repository gets a function into it. Pure. */
import type { Request } from './request.ts';

/** The text with the function in it; the same text when it does not belong there. */
export type Edit = (text: string, request: Request) => string;

/** The text with lines before the one at `index`. */
export const insert = (text: string, index: number, ...lines: readonly string[]): string =>
  text
    .split('\n')
    .toSpliced(index, 0, ...lines)
    .join('\n');

/** Index of the first line that is so; throws when none is. */
export function lineOf(text: string, what: string, is: (line: string) => boolean, from = 0): number {
  const index = text.split('\n').findIndex((line, at) => at >= from && is(line));
  if (index >= 0) return index;
  throw new Error(`there is no ${what}: mend scripts/new`);
}
