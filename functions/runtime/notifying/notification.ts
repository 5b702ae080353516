/** What a notifier makes of an event: notifications, each for one recipient, and how its delivery ends. */
import type * as z from 'zod/mini';
import type { Incoming } from '../messages/message.ts';
import type { Trace } from '../trace.ts';
import type { Claims, End, Kept } from './claims.ts';

/** Event type → schema of its data. */
export type Schemas = Readonly<Record<string, z.ZodMiniType>>;

/** An event that is notified of; of a notification that is sent again `id` is the notification's own. */
export type EventOf<Accepts extends Schemas> = {
  [Type in keyof Accepts]: { readonly id: string; readonly type: Type; readonly data: z.infer<Accepts[Type]> };
}[keyof Accepts];
export type AnyEvent = { readonly id: string; readonly type: string; readonly data: unknown };

/** Who is told, by which template. The same event, template and recipient are delivered once. */
export type Notification = {
  readonly template: string;
  /** An id, never an address: it is kept, and one that is no UUID as a UUID made of it. */
  readonly recipient: string;
  /** RFC 3339, to deliver it later; the function sleeps meanwhile. */
  readonly at?: string | undefined;
};

/** A notification that was claimed, and is to be delivered now. */
export type Delivery<Event, Known = undefined> = Omit<Notification, 'at'> & {
  readonly event: Event;
  /** The same at each attempt, and no other delivery's: an idempotency key. */
  readonly key: string;
  /** What `remember` gave; undefined for one that is sent again. */
  readonly known: Known | undefined;
  /** The own columns of its claim. */
  readonly kept: Kept;
  /** Somebody has asked for it once more. */
  readonly again: boolean;
  /** How often its message was tried, this time included. */
  readonly attempt: number;
  readonly trace: Trace;
};

/** The parts of a notifier that do I/O. */
export type Opened<Event, Known = undefined> = {
  /** Throws `unavailable` to be tried again after a while, `invalid` when it never can be delivered. */
  deliver(delivery: Delivery<Event, Known>): Promise<End>;
  /** Takes what an event says that counts for later deliveries, and gives what counts for its own; of every event, first. */
  remember?(event: Event): Promise<Known>;
  /** In place of the pure `notifications`, where the recipients must be looked up. */
  notifications?(event: Event, incoming: Incoming): Promise<readonly Notification[]>;
  /** In place of the table of claims. */
  readonly claims?: Claims;
  /** Its own tasks, by type. */
  readonly tasks?: Readonly<Record<string, (incoming: Incoming) => Promise<void>>>;
};
