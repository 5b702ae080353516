/** What a function called while it was at work → why it failed, and what it waited for. Pure. */
import type { Span } from '../../platform/telemetry/spans.ts';

export type Failure = {
  /** Slug. */
  readonly error: string;
  /** What did not answer; undefined when the error does not say so. */
  readonly target: string | undefined;
  /** The circuit breaker let no call through, because those before had failed. */
  readonly rejected: boolean;
};

/** Names of the platform's own servers; others are called as their calls and errors name them. */
const SERVERS: Readonly<Record<string, string>> = { database: 'Postgres', nats: 'NATS' };

const wordOf = (name: string): string => SERVERS[name] ?? name;

/** What comes from outside is cut to what a slug or a name has: it is printed. */
export const shownName = (name: string): string => name.replace(/[^\w .:/{}*<>-]/g, '?').slice(0, 120);

const kebab = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();

/** Undefined for a call that is none, such as one to the function's own. */
function targetOf({ kind, name, attributes }: Span): string | undefined {
  if (kind !== 'client') return undefined;
  if ('db.system.name' in attributes || 'db.system' in attributes) return 'Postgres';
  if ('rpc.service' in attributes) return shownName(kebab(String(attributes['rpc.service']).split('.').at(-1) ?? ''));
  return shownName(String(attributes['peer.service'] ?? attributes['server.address'] ?? name));
}

/** `own` are the span itself and what its function did within it. */
export function failureOf(span: Span, own: readonly Span[]): Failure | undefined {
  if (span.error === undefined) return undefined;
  const rejected = own.flatMap(({ events }) => events).findLast(({ name }) => name === 'breaker.rejected');
  const failed = own.findLast((one) => one.error !== undefined && targetOf(one) !== undefined);
  const [, named] = /^(.+)-(?:unavailable|overloaded)$/.exec(shownName(span.error)) ?? [];
  const held = rejected && wordOf(shownName(String(rejected.attributes['millrace.target'] ?? '')));
  const target = held ?? (failed && targetOf(failed)) ?? (named && wordOf(named));
  return { error: shownName(span.error), target, rejected: held !== undefined };
}

/** What more than half of the time was spent waiting for; calls at the same time count once. */
export function slowestOf(own: readonly Span[], ms: number): { target: string; ms: number } | undefined {
  const calls = Map.groupBy(own.filter(targetOf), (span) => targetOf(span) ?? '');
  const [slowest] = [...calls].map(([target, spans]) => ({ target, ms: covered(spans) })).sort((a, b) => b.ms - a.ms);
  return slowest && slowest.ms > ms / 2 ? slowest : undefined;
}

function covered(spans: readonly Span[]): number {
  let until = 0;
  let sum = 0;
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    sum += Math.max(0, end - Math.max(start, until));
    until = Math.max(until, end);
  }
  return sum;
}
