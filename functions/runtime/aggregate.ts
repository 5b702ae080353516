/** An aggregate: how its events make a state, and what a command may read and write beside it. Pure. */

export type DomainEvent = { readonly type: string; readonly data: object };

type Upcaster<Data extends object> = (older: never) => Data;

/** What upcasts schema version 1 to 2, 2 to 3 and so on; the last one gives today's. Without any, today's version is 1. */
type UpcastersOf<Data extends object> = readonly [] | readonly [...Upcaster<object>[], Upcaster<Data>];

/** Type of event → its upcasters. */
export type Upcasters<Event extends DomainEvent> = {
  readonly [Type in Event['type']]: UpcastersOf<Extract<Event, { readonly type: Type }>['data']>;
};

/**
 * How events make a state. Its events live in table `<name>_events`, keyed by `<name>_id` and version; the newest state of
 * one with many, in `<name>_snapshots`. Types of its events begin with `<name>.`.
 */
export type Aggregate<State, Event extends DomainEvent> = {
  readonly name: string;
  readonly initial: State;
  /**
   * Schema version of its states in snapshots. Whenever the same events make another state than before, this is a new number:
   * snapshots of another version are not read.
   */
  readonly schemaVersion: number;
  /** An append to a state that was made of a snapshot and so many events, its own included, keeps the new state. */
  readonly snapshotEvery: number;
  readonly upcasters: Upcasters<Event>;
  evolve(state: State, event: Event): State;
  /** The public form of a state at a version: what events carry and answers show. */
  publish(state: State, version: number): object;
};

/** The state that events make, from `initial` or from the state before them. */
export const fold = <State, Event extends DomainEvent>(
  aggregate: Pick<Aggregate<State, Event>, 'initial' | 'evolve'>,
  events: readonly Event[],
  before: State = aggregate.initial,
): State => events.reduce((state, event) => aggregate.evolve(state, event), before);

/**
 * One more statement in the transaction of an append; `$rows` in its SQL stands for the rows, as a JSON array. Of commands
 * that are stored together it gets the rows of all in one.
 */
export type Write = { readonly sql: string; readonly rows: readonly object[] };

/** A query that a decision needs; `$input` in its SQL stands for the input, as JSON. It gives one JSON value. */
export type Read = { readonly sql: string; readonly input: unknown };
