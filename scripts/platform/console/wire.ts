/** What the console's server says to its page, in JSON. Types alone: both sides use them. */
import type { Cluster, Service, Times, TunedRule } from '../../operate/scale/rule.ts';

/** A function now. `rate`: messages or requests handled a second; null where metrics go elsewhere. */
export type FunctionNow = {
  readonly name: string;
  readonly kind: string;
  /** Wanted; `ready` of them serve. */
  readonly replicas: number;
  readonly ready: number;
  /** Messages or rows not finished, or requests in work or waiting; `pending` of them are not begun. */
  readonly lag: number;
  readonly pending: number;
  readonly rate: number | null;
  readonly min: number;
  readonly max: number;
  /** Of the lag, what one replica is for. */
  readonly threshold?: number;
  readonly lastChange?: { readonly at: string; readonly from: number; readonly to: number; readonly why: string };
  readonly problem?: string;
};

/** What waits for a person. */
export type Counts = { readonly deadLetters: number; readonly mails: number };

/** One value a second, the newest last. */
export type Series = {
  readonly replicas: readonly number[];
  readonly lag: readonly number[];
  readonly rate: readonly number[];
};

/** Event `all` of the live stream: everything, with the last minutes; `at` is that of the newest values, ms since 1970. */
export type All = {
  readonly at: number;
  readonly functions: readonly FunctionNow[];
  readonly series: Readonly<Record<string, Series>>;
  readonly counts: Counts;
};

/** Event `changed`: a second later, the functions that are not as they were; the others are. */
export type Changed = { readonly at: number; readonly functions: readonly FunctionNow[]; readonly counts?: Counts };

/** A stream of events in a list; `type` and `actor` are those of its newest event. */
export type AggregateLine = {
  readonly id: string;
  readonly version: number;
  readonly type: string;
  readonly actor: string;
  readonly began: string;
  readonly changed: string;
};

/** An event, and the public form of the aggregate after it. */
export type AggregateVersion = {
  readonly version: number;
  readonly type: string;
  readonly at: string;
  readonly actor: string;
  readonly command: string | null;
  readonly traceId: string;
  /** What changed. */
  readonly data: unknown;
  readonly state: Readonly<Record<string, unknown>>;
};

/** A read model that has an older version than the events; 0 when it has none yet. */
export type LateRow = { readonly table: string; readonly version: number };

export type MailLine = {
  readonly id: string;
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  readonly receivedAt: string;
};
export type MailWhole = MailLine & { readonly text: string; readonly html: boolean };

/** An aggregate's page. `more`: there are later versions. */
export type AggregatePage = {
  readonly id: string;
  readonly versions: readonly AggregateVersion[];
  readonly more: boolean;
  readonly late: readonly LateRow[];
  readonly mails: readonly MailLine[];
};

/** Times are ms since 1970. */
export type TraceSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly service: string;
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly error?: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
};

export type DeadLetterLine = {
  readonly id: number;
  readonly at: string;
  readonly function: string;
  readonly error: string;
  readonly message: string;
  readonly attempts: number;
  readonly type: string;
  readonly subject: string;
  readonly traceId: string;
};
export type DeadLetterWhole = DeadLetterLine & {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
};

/** How a function is scaled today, in each place; how many messages its handler takes at once, and how long, where it was measured. */
export type RuleToday = {
  readonly name: string;
  readonly rule: Readonly<Record<Cluster['profile'], TunedRule>>;
  readonly service: Omit<Service, 'ms'>;
  readonly ms?: Times;
};
/** `problem`: why those of npm start stand for those of production. */
export type RulesPage = { readonly rules: readonly RuleToday[]; readonly problem?: string };

/** An error (RFC 9457). */
export type Problem = {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly slug: string;
  readonly traceId: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
};
