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

export type Money = { readonly currency: string; readonly totalMinor: number };

/** An order in a list. */
export type OrderLine = Money & {
  readonly orderId: string;
  readonly version: number;
  readonly status: string;
  readonly paymentStatus: string;
  readonly fulfilmentStatus: string;
  readonly createdAt: string;
  readonly lines: readonly { readonly name: string; readonly quantity: number }[];
};

export type OrderStep = {
  readonly version: number;
  readonly type: string;
  readonly at: string;
  readonly actor: string;
  readonly command: string | null;
  readonly traceId: string;
  /** What changed. */
  readonly data: unknown;
  /** The order after it. */
  readonly state: Readonly<Record<string, unknown>>;
};

export type MailLine = {
  readonly id: string;
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  readonly receivedAt: string;
};
export type MailWhole = MailLine & { readonly text: string; readonly html: boolean };

/** An order's page. `inView`: the version that the read model has; 0 when none yet. `more`: there are later steps. */
export type OrderPage = {
  readonly orderId: string;
  readonly inView: number;
  readonly steps: readonly OrderStep[];
  readonly more: boolean;
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

export type LetterLine = {
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
export type LetterWhole = LetterLine & {
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
/** `problem`: why those of this shop stand for those of production. */
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
