/** Calls that wait anyway → one call for all of them. Nobody waits for others to come. */
import { toAppError } from '../errors.ts';
import { inNoTrace } from '../trace.ts';

type Waiting<Item, Result> = {
  readonly item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
};

/**
 * Gives a function of one item that is done by `work` on many, `most` at a time: those that came while it was busy. `work`
 * does all or nothing, and gives a result for each in their order. When it throws, each half goes again by itself, down to
 * the one that is to blame; `unavailable` is everybody's.
 */
export function together<Item, Result>(
  most: number,
  work: (items: readonly Item[]) => Promise<readonly Result[]>,
): (item: Item) => Promise<Result> {
  const waiting: Waiting<Item, Result>[] = [];
  let busy = false;

  const run = async (group: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await work(group.map(({ item }) => item));
      group.forEach(({ resolve }, index) => {
        resolve(results[index] as Result);
      });
    } catch (error) {
      if (group.length === 1 || toAppError(error).code === 'unavailable') {
        for (const { reject } of group) reject(error);
        return;
      }
      const half = Math.ceil(group.length / 2);
      await run(group.slice(0, half));
      await run(group.slice(half));
    }
  };

  const start = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) await run(waiting.splice(0, most));
    busy = false;
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!busy) void inNoTrace(start);
    });
}
