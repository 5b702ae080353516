/** What a run leaves behind, in one value: all that the checker looks at. */
import type { WrittenEvent } from '../../../functions/runtime/store/schema-versions.ts';
import type { Arrival } from './mail-sink.ts';

/** An answer that settles a request; `key` is its Idempotency-Key. Times are ms since 1970. */
export type Answer = {
  readonly key: string;
  /** What was asked for: `orders`, or what comes below an order, such as `payments`. */
  readonly what: string;
  readonly status: number;
  readonly body: unknown;
  readonly sentAt: number;
  readonly answeredAt: number;
};
export type SignUp = { readonly email: string; readonly answeredAt: number };

export type StoredEvent = WrittenEvent & {
  readonly orderId: string;
  readonly eventId: string;
  readonly commandId: string;
  readonly actor: string;
};
export type Message = { readonly id: string; readonly subject: string; readonly data: unknown };
/** Messages that cannot be handled, sent on purpose under this ce-id; each of these functions must keep it as a dead letter. */
export type Planted = { readonly id: string; readonly functions: readonly string[] };
/** When something happened after which an e-mail may be sent twice: a notifier killed, say, or cut off from Postgres. */
export type Excuse = { readonly from: number; readonly to: number };

/** What is still to be done; empty when the shop is quiet. */
export type Rest = {
  readonly outbox: readonly string[];
  /** Consumers with work, as `stream/consumer: messages`. */
  readonly lag: readonly string[];
  /** Subjects of what COMMANDS and RETRIES hold. */
  readonly messages: readonly string[];
  readonly claims: readonly string[];
  readonly payments: readonly string[];
};

export type Snapshot = {
  readonly answers: readonly Answer[];
  /** Keys that never got an answer. */
  readonly unanswered: readonly string[];
  readonly signUps: readonly SignUp[];
  readonly stockBefore: Readonly<Record<string, number>>;
  readonly stock: Readonly<Record<string, number>>;
  /** An order's one after the other. */
  readonly events: readonly StoredEvent[];
  readonly commands: readonly { readonly commandId: string; readonly version: number }[];
  readonly payments: readonly { readonly paymentId: string; readonly amountMinor: number }[];
  readonly ledger: readonly { readonly key: string; readonly orderId: string; readonly amountMinor: number }[];
  readonly orderView: readonly { readonly orderId: string; readonly order: unknown }[];
  readonly salesView: readonly object[];
  readonly users: readonly { readonly userId: string; readonly email: string }[];
  readonly orderMessages: readonly Message[];
  readonly userMessages: readonly Message[];
  readonly deadLetters: readonly { readonly id: string; readonly function: string; readonly error: string }[];
  readonly planted: readonly Planted[];
  readonly mails: readonly Arrival[];
  readonly excuses: readonly Excuse[];
  readonly rest: Rest;
};
