/** A situation with constant times → what becomes of it, looked at in every millisecond: slow, and plain enough to be believed. */

import type { Situation } from './model.ts';
import { randomOf } from './random.ts';
import { startScaling } from './scaling.ts';
import type { Curve } from './statistics.ts';

type Work = { readonly until: number; readonly messages: number };
type Pod = { readonly from: number; readonly readyAt: number; room: number; work: Work[]; until?: number };

export function handledOneMillisecondAtATime({ rule, load, service, cluster, seed }: Situation) {
  const random = randomOf(seed);
  const scaling = startScaling(rule, cluster, [random.next(), random.next()]);
  const batch = Math.min(service.batch, rule.inFlight);
  const calls = Math.max(1, Math.floor(rule.inFlight / service.batch));
  const pods: Pod[] = [];
  const queue: number[] = [];
  const waits: number[] = [];
  const replicas: [number, number][] = [[0, rule.min]];
  let handled = 0;
  let came = 0;
  const kept = () => pods.filter(({ until, room }) => until === undefined && room >= 0);
  const inWork = () => pods.flatMap(({ work }) => work).reduce((sum, { messages }) => sum + messages, 0);
  const start = (from: number, readyAt: number) => pods.push({ from, readyAt, room: calls, work: [] });
  for (let pod = 0; pod < rule.min; pod += 1) start(0, 0);
  /** Who asked first is served first. */
  let asking: Pod[] = kept().flatMap((pod) => Array.from({ length: calls }, () => pod));

  const serve = (now: number) => {
    asking = asking.filter(({ room }) => room >= 0);
    while (queue.length > 0 && asking.length > 0 && inWork() < rule.maxAckPending) {
      const pod = asking.shift();
      const taken = queue.splice(0, Math.min(batch, rule.maxAckPending - inWork()));
      waits.push(...taken.map((at) => now - at));
      pod?.work.push({ until: now + service.ms.p50, messages: taken.length });
    }
  };

  for (let now = 0; ; now += 1) {
    while (load[came] === now) {
      queue.push(now);
      came += 1;
      serve(now);
    }
    for (const pod of pods) {
      if (pod.readyAt === now && now > 0 && pod.room >= 0) asking.push(...Array.from({ length: calls }, () => pod));
      const done = pod.work.filter(({ until }) => until === now);
      pod.work = pod.work.filter(({ until }) => until !== now);
      for (const { messages } of done) handled += messages;
      if (pod.room >= 0) asking.push(...done.map(() => pod));
      else if (pod.work.length === 0) pod.until ??= now;
    }
    serve(now);
    while (scaling.nextAt() === now) {
      const lag = came - handled;
      const wanted = scaling.decide(lag, kept().length);
      if (wanted !== kept().length) replicas.push([now / 1_000, wanted]);
      while (kept().length < wanted) start(now, now + cluster.podStart.p50);
      const order = kept().sort(
        (a, b) =>
          Number(b.readyAt <= now) - Number(a.readyAt <= now) || b.work.length - a.work.length || a.from - b.from,
      );
      for (const pod of order.slice(wanted)) {
        pod.room = -1;
        if (pod.work.length === 0) pod.until = now;
      }
      if (came < load.length || lag > 0 || wanted !== rule.min) continue;
      if (pods.some((pod) => pod.work.length > 0 || pod.readyAt > now)) continue;
      waits.sort((a, b) => a - b);
      return {
        handled,
        longestWait: (waits.at(-1) ?? 0) / 1_000,
        middleWait: (waits[Math.ceil(waits.length / 2) - 1] ?? 0) / 1_000,
        replicas: replicas as Curve,
        podSeconds: pods.reduce((sum, { from, until = now }) => sum + until - from, 0) / 1_000,
      };
    }
  }
}
