/** Work on one thing → one after another; work on different things goes on at the same time. */

export function openTurns(): <Result>(key: string, work: () => Promise<Result>) => Promise<Result> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const before = last.get(key);
    const own = before ? before.then(work, work) : work();
    last.set(key, own);
    const end = (): void => {
      if (last.get(key) === own) last.delete(key);
    };
    own.then(end, end);
    return own;
  };
}
