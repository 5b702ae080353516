/** Messages in the order in which they come, and how many pods are wanted → which pod handles which message, and when. */
import { openAgenda } from './agenda.ts';

export type PodsOptions = {
  readonly load: Float64Array;
  /** Calls of the handler at the same time in one pod. */
  readonly calls: number;
  /** Messages of one call, at most. */
  readonly batch: number;
  readonly maxAckPending: number;
  readonly startMs: () => number;
  readonly callMs: () => number;
};
export type Pods = {
  /** When something happens of itself: ms; Infinity when nothing does. */
  nextAt(): number;
  /** Lets that happen; true when messages were handled. */
  proceed(): boolean;
  /** So many messages have come in all. */
  come(count: number, now: number): void;
  /** So many pods are wanted: new ones start, or are ready `atOnce`; those too many finish what they have and end. */
  want(count: number, now: number, atOnce?: boolean): void;
  wanted(): number;
  started(): number;
  handled(): number;
  /** Of all that began: seconds, in order of size. */
  waits(): Float64Array;
  /** ms of all pods together, until a time. */
  podMs(until: number): number;
};

type Pod = {
  readonly id: number;
  readonly from: number;
  ready: boolean;
  draining: boolean;
  busy: number;
  until?: number;
};

export function openPods({ load, calls, batch, maxAckPending, startMs, callMs }: PodsOptions): Pods {
  const agenda = openAgenda();
  const all: Pod[] = [];
  let kept: Pod[] = [];
  /** Pods that have asked for work, once for each call that they have room for; asked first, served first. */
  let asking: Pod[] = [];
  let asked = 0;
  const waits = new Float64Array(load.length);
  let came = 0;
  let begun = 0;
  let handled = 0;

  const next = (): Pod | undefined => {
    while (asking[asked]?.draining) asked += 1;
    // Kept short: what was served is dropped now and then.
    if (asked > 4_096) {
      asking = asking.slice(asked);
      asked = 0;
    }
    return asking[asked];
  };

  const room = (): number => Math.min(batch, came - begun, maxAckPending - (begun - handled));

  const work = (now: number): void => {
    for (let messages = room(); messages > 0; messages = room()) {
      const pod = next();
      if (!pod) return;
      asked += 1;
      for (let one = 0; one < messages; one += 1) waits[begun + one] = (now - (load[begun + one] ?? now)) / 1_000;
      begun += messages;
      pod.busy += 1;
      agenda.add({ at: now + callMs(), pod: pod.id, messages });
    }
  };

  const ready = (pod: Pod): void => {
    if (pod.draining) return;
    pod.ready = true;
    for (let call = 0; call < calls; call += 1) asking.push(pod);
  };

  const drain = (pod: Pod, now: number): void => {
    pod.draining = true;
    if (pod.busy === 0) pod.until = now;
  };

  const done = (pod: Pod, messages: number, now: number): void => {
    handled += messages;
    pod.busy -= 1;
    if (!pod.draining) asking.push(pod);
    else if (pod.busy === 0) pod.until = now;
  };

  return {
    nextAt: agenda.nextAt,
    proceed() {
      const happening = agenda.take();
      const pod = happening && all[happening.pod];
      if (!pod) return false;
      if (happening.messages > 0) done(pod, happening.messages, happening.at);
      else ready(pod);
      work(happening.at);
      return happening.messages > 0;
    },
    come(count, now) {
      came = count;
      work(now);
    },
    want(count, now, atOnce = false) {
      for (let missing = count - kept.length; missing > 0; missing -= 1) {
        const pod: Pod = { id: all.length, from: now, ready: false, draining: false, busy: 0 };
        all.push(pod);
        kept.push(pod);
        if (atOnce) ready(pod);
        else agenda.add({ at: now + startMs(), pod: pod.id, messages: 0 });
      }
      if (count === kept.length) return;
      // As the local platform: those that start go first, then those with the least in work.
      const order = [...kept].sort((a, b) => Number(b.ready) - Number(a.ready) || b.busy - a.busy || a.from - b.from);
      for (const pod of order.slice(count)) drain(pod, now);
      kept = order.slice(0, count);
    },
    wanted: () => kept.length,
    started: () => all.length,
    handled: () => handled,
    waits: () => waits.slice(0, begun).sort(),
    podMs: (until) => all.reduce((sum, pod) => sum + (pod.until ?? until) - pod.from, 0),
  };
}
