/** What was started, in order → undone in reverse, each step tried even if another failed. */

export type Cleanup = {
  add(what: string, undo: () => Promise<void> | void): void;
  /** Resolves to the problems met, in words. A second call waits for the first. */
  unwind(): Promise<readonly string[]>;
};

export function openCleanup(): Cleanup {
  const steps: { what: string; undo: () => Promise<void> | void }[] = [];
  let unwinding: Promise<string[]> | undefined;

  const undoAll = async (): Promise<string[]> => {
    const problems: string[] = [];
    for (let step = steps.pop(); step; step = steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        problems.push(`${step.what}: ${error instanceof Error ? error.message : error}`);
      }
    }
    return problems;
  };

  return {
    add: (what, undo) => void steps.push({ what, undo }),
    unwind() {
      unwinding ??= undoAll();
      return unwinding;
    },
  };
}

/** As Promise.all, but a failure is thrown only when the others have ended too: what they started can then be undone. */
export async function together<T extends readonly unknown[]>(
  ...work: { [K in keyof T]: Promise<T[K]> }
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work) as Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>;
}
