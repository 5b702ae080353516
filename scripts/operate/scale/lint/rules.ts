/** Facts → findings: each rule is a small function, and RULES is the table of them. Pure. */
import type { Facts } from './facts.ts';
import { account, endpoint, polling } from './monitoring.ts';
import { missingConsumer, missingStream, unwatched } from './names.ts';
import type { Finding, Rule } from './rule.ts';
import { ackPending, activation, fallback, threshold } from './wakes.ts';
import { ackWait, cooldown, grace, handler, httpGrace } from './work.ts';

export const RULES: Readonly<Record<string, Rule>> = {
  'activation-above-zero': activation,
  'threshold-too-low': threshold,
  'ack-pending-caps': ackPending,
  'ack-wait-too-short': ackWait,
  'handler-too-long': handler,
  'cooldown-too-short': cooldown,
  'grace-too-short': grace,
  'http-grace-too-short': httpGrace,
  'missing-consumer': missingConsumer,
  'missing-stream': missingStream,
  'unwatched-consumer': unwatched,
  'wrong-endpoint': endpoint,
  'no-fallback': fallback,
  'account-by-name': account,
  'polls-overload': polling,
};

const pathOf = (file: string, name: string): string => {
  if (file.includes('/')) return file;
  return file === 'function.ts' ? `functions/*/${name}/function.ts` : `knative/functions/${name}/${file}`;
};

/** What all functions have alike, such as a wrong endpoint, is told once, of the first. */
export function lint(facts: Facts): Finding[] {
  return Object.entries(RULES).flatMap(([rule, { level, file, find }]) => {
    const found = find(facts).map((one) => ({ rule, level, ...one, file: pathOf(file, one.function) }));
    if (!file.includes('/')) return found;
    const firsts = found.filter(({ reason }, index) => found.findIndex((one) => one.reason === reason) === index);
    return firsts.map((one) => {
      const others = found.filter(({ reason }) => reason === one.reason).length - 1;
      return others === 0 ? one : { ...one, function: `${one.function} and ${others} more` };
    });
  });
}
