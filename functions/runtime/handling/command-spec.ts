/** What a command declares: what it accepts, whose state it changes, what it decides. */
import type * as z from 'zod/mini';
import type { Aggregate, DomainEvent, Read, Write } from '../aggregate.ts';
import type { Calls, CommonSettings, Outbound, Shell } from '../function.ts';
import type { NatsSettings } from '../jetstream/connection.ts';
import type { Database, DatabaseSettings } from '../postgres.ts';
import type { SettingsOf } from '../settings.ts';

/** What a decision knows besides the command and the state. `id` and `version` are the aggregate's, `now` is RFC 3339 in UTC. */
export type Decision<Reads = null, Performed = null, Own extends object = object> = {
  readonly now: string;
  readonly id: string;
  readonly version: number;
  readonly commandId: string;
  readonly reads: Reads;
  readonly performed: Performed;
  readonly settings: CommonSettings & Own;
};

export type CommandSettings = NatsSettings & DatabaseSettings;

/** An act on the world that a decision depends on. It may be called again for the same command, at any state. */
type Perform<Command, State, Performed> = (
  command: Command,
  state: State,
  context: {
    readonly id: string;
    readonly version: number;
    readonly commandId: string;
    /** Of the command's content: the same id with another one is another request. */
    readonly fingerprint: string;
  },
) => Promise<Performed>;

export type CommandSpec<
  Schema extends z.ZodMiniType,
  State,
  Event extends DomainEvent,
  Reads,
  Performed,
  Own extends object,
  Given extends Event['type'] = Event['type'],
> = {
  /** Settings that this command needs besides those of every command. */
  readonly settings?: SettingsOf<Own>;
  /** Hosts that it calls. */
  readonly outbound?: readonly Outbound[];
  /** What it calls in its own name: service → methods. */
  readonly calls?: Calls;
  /** Such as `command.parcel.send`: the subject on stream COMMANDS. */
  readonly type: `command.${string}`;
  readonly accepts: Schema;
  /** Types of the events that it may lead to; it may publish no others. */
  readonly publishes: readonly Given[];
  readonly aggregate: Aggregate<State, Event>;
  /** Id of the aggregate that the command is for; `commandId` is there for commands that create one. */
  target(command: z.infer<Schema>, commandId: string): string;
  /** Who wants it; kept with the events for audit. */
  actor(command: z.infer<Schema>): string;
  /** What the decision needs to know besides the aggregate. */
  reads?(command: z.infer<Schema>): Read;
  /** What must be done in the world before the decision; a `refused` that it throws is the command's answer. */
  performs?(shell: Shell<CommandSettings & Own>, database: Database): Perform<z.infer<Schema>, State, Performed>;
  /** Pure. The events that the command leads to; throws `refused` or `not-found` when a rule says no. */
  decide(
    command: z.infer<Schema>,
    state: State,
    decision: Decision<Reads, Performed, Own>,
  ): readonly (NoInfer<Event> & { readonly type: NoInfer<Given> })[];
  /**
   * What else changes in the same transaction, also when the command is refused (then without events).
   * A constraint that it breaks makes the command be decided anew.
   */
  writes?(events: readonly Event[], before: State, commandId: string): readonly Write[];
};
