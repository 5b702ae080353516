/** What a rebuild reads: events for a projector, from wherever they are kept. */
import type { ReadEvent } from '../../../functions/runtime/handling/projection.ts';
import type { Queries } from '../../../functions/runtime/postgres.ts';

/** Events for the projector; `read` counts those that it does not take, too. */
export type Replayed = { readonly events: readonly ReadEvent[]; readonly read: number };

/** Events, of which the fresh tables may lack what the live ones show. */
export type Missing = {
  /** Of what there are so many. */
  readonly what: string;
  readonly count: number;
  read(): AsyncIterable<Replayed>;
  /** They are in the fresh tables for good. */
  written(): void;
};

export type Source = {
  /** Where they are, for people. */
  readonly place: string;
  /** Some are not as their schemas say: live they became dead letters. */
  readonly unchecked: boolean;
  /** How many events there are, of all types. */
  count(): Promise<number>;
  all(): AsyncIterable<Replayed>;
  /** While nobody writes the live tables it leaves out nothing that they show. */
  missing(database: Queries): Promise<Missing>;
};
