/** What happens at which time → the earliest first: a binary heap. Of two at the same time, either. */

/** `messages` are done in a pod; 0: the pod has started. */
export type Happening = { readonly at: number; readonly pod: number; readonly messages: number };
export type Agenda = {
  add(happening: Happening): void;
  /** Infinity when nothing is to come. */
  nextAt(): number;
  take(): Happening | undefined;
};

export function openAgenda(): Agenda {
  const heap: Happening[] = [];
  const at = (index: number): number => heap[index]?.at ?? Number.POSITIVE_INFINITY;

  const put = (index: number, happening: Happening): void => {
    heap[index] = happening;
  };
  const rise = (happening: Happening): void => {
    let index = heap.length;
    for (let above = (index - 1) >> 1; index > 0 && at(above) > happening.at; above = (index - 1) >> 1) {
      put(index, heap[above] ?? happening);
      index = above;
    }
    put(index, happening);
  };
  const sink = (happening: Happening): void => {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const least = at(left + 1) < at(left) ? left + 1 : left;
      if (at(least) >= happening.at) break;
      put(index, heap[least] ?? happening);
      index = least;
    }
    put(index, happening);
  };
  return {
    add: rise,
    nextAt: () => at(0),
    take() {
      const [first] = heap;
      const last = heap.pop();
      if (last && heap.length > 0) sink(last);
      return first;
    },
  };
}
