/** An event rule → its function's replicas, decided anew at every poll of its triggers, as KEDA does. */
import type { EventRule } from '../../manifests/rules.ts';
import type { Measured, Metrics } from './metrics.ts';
import type { Replicas } from './replicas.ts';
import { decideEvent, type Failure, heldBy, NOTHING_REMEMBERED, type Reading } from './scale.ts';
import type { Grounds, Scaler, Work } from './scaler.ts';

const LATE_MS = 10_000;

export function startKeda(rule: EventRule, replicas: Replicas, metrics: Metrics): Scaler {
  let memory = NOTHING_REMEMBERED;
  let work: Work = { lag: 0, pending: 0 };
  let last: readonly (Reading | Failure)[] = [];
  let failed: string | undefined = 'not polled yet';
  let readAt = Date.now();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  replicas.scaleTo(rule.min, 'the least');

  const poll = async (): Promise<void> => {
    const read: Measured[] = await Promise.all(rule.triggers.map((trigger) => metrics.read(trigger)));
    if (stopped) return;
    const decision = decideEvent(rule, replicas.wanted(), read, memory, Date.now());
    memory = decision.memory;
    replicas.scaleTo(decision.replicas, decision.why);
    note(read);
  };

  const note = (read: readonly Measured[]): void => {
    last = read;
    failed = read
      .map((one) => ('problem' in one ? `${one.what} cannot be read: ${one.problem}` : undefined))
      .find(Boolean);
    if (!failed) readAt = Date.now();
    const measured = read.filter((one) => 'metric' in one);
    if (measured.length === 0) return;
    work = {
      lag: measured.reduce((sum, one) => sum + one.metric, 0),
      pending: measured.reduce((sum, one) => sum + one.pending, 0),
    };
  };

  const pollForEver = async (): Promise<void> => {
    const began = Date.now();
    await poll();
    if (stopped) return;
    const restMs = rule.pollingIntervalSeconds * 1_000 - (Date.now() - began);
    timer = setTimeout(() => void pollForEver(), Math.max(0, restMs));
  };
  void pollForEver();

  const grounds = (): Grounds => {
    const { pollingIntervalSeconds, cooldownSeconds, scaleDownStabilizationSeconds } = rule;
    const held = heldBy(rule, replicas.wanted(), memory);
    return {
      by: 'keda',
      pollingIntervalSeconds,
      cooldownSeconds,
      scaleDownStabilizationSeconds,
      read: last,
      ...(memory.lastActiveAt === undefined ? {} : { lastActiveAt: new Date(memory.lastActiveAt).toISOString() }),
      ...(held ? { held: { replicas: held.replicas, until: new Date(held.until).toISOString() } } : {}),
    };
  };

  return {
    work: () => work,
    grounds,
    problem: () =>
      failed ?? (Date.now() - readAt > LATE_MS + rule.pollingIntervalSeconds * 1_000 ? 'polls are late' : undefined),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
