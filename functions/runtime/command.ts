/** Builder of command handlers: message → load, decide (pure), append, publish, answer, ack. */
import type * as z from 'zod/mini';
import type { Aggregate, DomainEvent, Read, Write } from './aggregate.ts';
import { type AppError, toAppError } from './errors.ts';
import type { Calls, CommonSettings, Definition, Outbound, Shell } from './function.ts';
import { commandHandler } from './handling/command-handler.ts';
import { consume } from './handling/consume.ts';
import { pushHandler } from './handling/push.ts';
import { type NatsSettings, natsSettings, openBus } from './jetstream/connection.ts';
import { type Incoming, outcomeOf } from './messages/message.ts';
import { openOutbox } from './outbox.ts';
import { type Database, type DatabaseSettings, databaseSettings, openDatabase } from './postgres.ts';
import type { SettingsOf } from './settings.ts';

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
  /** Such as `command.order.create`: the subject on stream COMMANDS. */
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

const STREAM = 'COMMANDS';
/** In work at once: as many as are loaded and stored together. */
const IN_FLIGHT = 128;
/** Of commands that act on the world, each of which takes its time, and a connection for a part of it. */
const ACTS_IN_FLIGHT = 16;
const ACTS = 8;
/** A no that is an answer: of a rule, or of what is not there to somebody who waits; unheard, the latter is a dead letter. */
const isAnswer = (error: AppError, { awaited }: Incoming): boolean =>
  error.code === 'refused' || (awaited && (error.code === 'not-found' || error.slug === 'idempotency-key-reused'));

export function command<
  Schema extends z.ZodMiniType,
  State,
  Event extends DomainEvent,
  Reads = null,
  Performed = null,
  Own extends object = object,
  Given extends Event['type'] = Event['type'],
>(spec: CommandSpec<Schema, State, Event, Reads, Performed, Own, Given>): Definition<CommandSettings & Own> {
  const inFlight = spec.performs ? ACTS_IN_FLIGHT : IN_FLIGHT;
  const concurrency = spec.performs ? ACTS : IN_FLIGHT;
  return {
    kind: 'command',
    settings: { ...natsSettings, ...databaseSettings, ...spec.settings },
    stream: STREAM,
    consumes: [spec.type],
    publishes: spec.publishes,
    schedules: [],
    outbound: spec.outbound ?? [],
    calls: spec.calls ?? {},
    inFlight,
    async start(shell) {
      const bus = await openBus(shell);
      const database = openDatabase(shell);
      const outbox = openOutbox(shell, database, bus);
      const handleOne = commandHandler(spec, shell, database, outbox);
      const handle = async ([incoming]: readonly Incoming[]): Promise<void> => {
        if (!incoming) return;
        try {
          incoming.answer({ result: await handleOne(incoming) });
        } catch (thrown) {
          const error = toAppError(thrown);
          const { slug, message: detail } = error;
          if (!isAnswer(error, incoming)) throw error;
          shell.log.info({ command: incoming.id, traceId: incoming.trace.traceId, slug, detail }, 'refused');
          incoming.answer(outcomeOf(error));
        }
      };
      const options = {
        stream: STREAM,
        consumer: shell.name,
        types: [spec.type],
        inFlight,
        batch: 1,
        concurrency,
      };
      const consumer = consume(shell, bus, options, handle);
      return { ...consumer, http: pushHandler(shell.log, handle) };
    },
  };
}
