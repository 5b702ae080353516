import { expect, test } from 'vitest';
import { openTurns } from './in-turn.ts';

test('work on one thing waits for what came before, failed or not, and work on another does not', async () => {
  const turns = openTurns();
  const said: string[] = [];
  const work = (what: string, waits: number) => async (): Promise<void> => {
    said.push(`${what} begins`);
    for (let turn = 0; turn < waits; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    said.push(`${what} ends`);
    if (what === 'first') throw new Error(what);
  };
  const first = turns('a', work('first', 3));
  await Promise.all([
    expect(first).rejects.toThrow('first'),
    turns('a', work('second', 0)),
    turns('b', work('other', 1)),
  ]);
  expect(said).toEqual(['first begins', 'other begins', 'other ends', 'first ends', 'second begins', 'second ends']);
});
