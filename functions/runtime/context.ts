/** What a context declares of itself in functions/<context>/context.ts, where it is found by its folder: bundles do not hold it. */
import type * as z from 'zod/mini';
import type { Aggregate, DomainEvent } from './aggregate.ts';

/** An aggregate, and what is stored of it: a schema that was ever written stays as it is. */
export type DeclaredAggregate = {
  readonly aggregate: Aggregate<unknown, DomainEvent>;
  /** Type of event → the schemas of its data, version by version, today's last. */
  readonly storedEvents: Readonly<Record<string, readonly z.ZodMiniType[]>>;
  /** The schema of its state in a snapshot, of the aggregate's `schemaVersion`. */
  readonly state: z.ZodMiniType;
};

/**
 * Who → what it may do to a table, in the words of Postgres, such as `select, insert, update (status)`. Who is a kind, for
 * the functions of that kind of this context; or the name of a function, of whatever context; or one of `roles`.
 */
type Rights = Readonly<Record<string, string>>;

export type Context = {
  /** The stream of its events, for all who read them. Without events there is none. */
  readonly stream?: { readonly name: string; readonly description: string };
  /** Type of a published event, such as `parcel.sent` → schema of its data. */
  readonly events?: Readonly<Record<string, z.ZodMiniType>>;
  readonly aggregates?: readonly DeclaredAggregate[];
  /**
   * Tables that its migrations make, and who may do what to them besides what kinds imply: a command may append to the
   * events of the context's aggregates, a projector write the table that it names.
   */
  readonly tables?: Readonly<Record<string, Rights>>;
  /** Roles for others than functions → what they are for. */
  readonly roles?: Readonly<Record<string, string>>;
  /** Its files that other contexts may import, such as `events.ts`. */
  readonly exports?: readonly string[];
};

export const context = (declared: Context): Context => declared;
