/** An HTTP rule → its function behind an activator: started by its first request, followed by load, back to zero when idle. */

import type { HttpRule } from '../../manifests/rules.ts';
import { type Activator, openActivator } from './activator.ts';
import type { Replicas } from './replicas.ts';
import { average, decideHttp, type Load, type Sample } from './scale-http.ts';
import type { Grounds, Scaler } from './scaler.ts';

export type HttpScaler = Scaler & Pick<Activator, 'handle'>;

const TICK_MS = 500;

export function startKnative(rule: HttpRule, replicas: Replicas): HttpScaler {
  let samples: Sample[] = [];
  let requests = 0;
  let busyAt = Number.NEGATIVE_INFINITY;
  // Requests times milliseconds since the last sample: those between two ticks count by their length.
  let area = 0;
  let areaUntil = Date.now();
  let sampledAt = areaUntil;

  const measure = (): number => {
    const at = Date.now();
    area += requests * (at - areaUntil);
    areaUntil = at;
    if (requests > 0) busyAt = at;
    return at;
  };

  const decide = (): void => {
    const at = measure();
    const { replicas: count, why } = decideHttp(rule, replicas.wanted(), loadNow(at));
    replicas.scaleTo(count, replicas.wanted() === 0 ? 'a request came' : why);
  };

  const loadNow = (at: number): Load => ({
    stable: average(samples, rule.windowSeconds, at),
    sudden: average(samples, rule.windowSeconds / 10, at),
    idleSeconds: (at - busyAt) / 1_000,
  });

  const activator = openActivator(rule, replicas, (now) => {
    measure();
    requests = now;
    if (now > 0 && replicas.wanted() === 0) decide();
  });
  replicas.scaleTo(rule.min, 'the least');

  const timer = setInterval(() => {
    const at = measure();
    if (at === sampledAt) return;
    samples = samples.filter((sample) => at - sample.at < rule.windowSeconds * 1_000);
    samples.push({ at, concurrency: area / (at - sampledAt) });
    area = 0;
    sampledAt = at;
    decide();
  }, TICK_MS);

  const grounds = (): Grounds => {
    const { targetConcurrency, utilization, windowSeconds, retentionSeconds, containerConcurrency } = rule;
    const { stable, sudden } = loadNow(Date.now());
    const active = Number.isFinite(busyAt) ? { lastActiveAt: new Date(busyAt).toISOString() } : {};
    const limits = { targetConcurrency, utilization, windowSeconds, retentionSeconds, containerConcurrency };
    return { by: 'knative', ...limits, stable, sudden, ...active };
  };

  return {
    grounds,
    handle: activator.handle,
    work: () => ({ lag: requests, pending: activator.waiting() }),
    problem: () => undefined,
    stop() {
      clearInterval(timer);
      activator.close();
    },
  };
}
