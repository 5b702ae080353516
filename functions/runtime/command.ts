/** Builder of command handlers: message → load, decide (pure), append, publish, answer, ack. */
import { createHash } from 'node:crypto';
import type * as z from 'zod/mini';
import { openBus } from './bus.ts';
import type { Setting, Settings } from './config.ts';
import { consume } from './consume.ts';
import { type AppError, invalid, refused, toAppError } from './errors.ts';
import {
  type Aggregate,
  type CommandRecord,
  type DomainEvent,
  fold,
  fromRefusal,
  openEventStore,
  type Read,
  type Refusal,
  type Write,
} from './event-store.ts';
import type { Definition, Shell } from './function.ts';
import { nameId } from './ids.ts';
import { type Incoming, outcomeOf } from './message.ts';
import { type Outbox, openOutbox, readOutbox } from './outbox.ts';
import { type Database, openDatabase } from './postgres.ts';
import { pushHandler } from './push.ts';
import { validate } from './validate.ts';

/** What a decision knows besides the command and the state. `id` is the aggregate's, `now` is RFC 3339 in UTC. */
export type Decision<Reads = null, Performed = null, Extra extends Setting = never> = {
  readonly now: string;
  readonly id: string;
  readonly commandId: string;
  readonly reads: Reads;
  readonly performed: Performed;
  readonly settings: Settings<Extra>;
};

/** An act on the world that a decision depends on. It may be called again for the same command, at any state. */
type Perform<Command, State, Performed> = (
  command: Command,
  state: State,
  context: { readonly version: number; readonly commandId: string; readonly id: string },
) => Promise<Performed>;

type CommandSpec<
  Schema extends z.ZodMiniType,
  State,
  Event extends DomainEvent,
  Reads,
  Performed,
  Extra extends Setting,
> = {
  /** Settings that this command needs besides those of every command. */
  readonly needs?: readonly Extra[];
  /** Such as `command.order.create`: the subject on stream COMMANDS. */
  readonly type: `command.${string}`;
  readonly accepts: Schema;
  readonly aggregate: Aggregate<State, Event>;
  /** Id of the aggregate that the command is for; `commandId` is there for commands that create one. */
  target(command: z.infer<Schema>, commandId: string): string;
  /** Who wants it; kept with the events for audit. */
  actor(command: z.infer<Schema>): string;
  /** The version that the sender has seen; the command is refused when there is a newer one. */
  expects?(command: z.infer<Schema>): number | undefined;
  /** What the decision needs to know besides the aggregate. */
  reads?(command: z.infer<Schema>): Read;
  /** What must be done in the world before the decision; a `refused` that it throws is the command's answer. */
  performs?(shell: Shell<Need | Extra>, database: Database): Perform<z.infer<Schema>, State, Performed>;
  /** Pure. The events that the command leads to; throws `refused` or `not-found` when a rule says no. */
  decide(command: z.infer<Schema>, state: State, decision: Decision<Reads, Performed, Extra>): readonly Event[];
  /**
   * What else changes in the same transaction, also when the command is refused (then without events).
   * A constraint that it breaks makes the command be decided anew.
   */
  writes?(events: readonly Event[], before: State, commandId: string): Write | undefined;
};

const STREAM = 'COMMANDS';
const CONCURRENCY = 8;
const DECISIONS = 6;

const fingerprintOf = (command: unknown): string =>
  createHash('sha256').update(JSON.stringify(command)).digest('base64url');

/** Codes by which a rule says no: that is the command's answer, kept with it, and not a failure. */
const isRefusal = (error: AppError): boolean => error.code === 'refused' || error.code === 'not-found';

const toRefusal = ({ code, slug, message, fields }: AppError): Refusal => ({ code, slug, message, fields });

function refuseOldVersion(expected: number | undefined, version: number): void {
  if (expected !== undefined && expected !== version)
    throw refused('version-mismatch', `It is at version ${version}, not ${expected}; read it again`);
}

/** Handles one command to its end; the same command again gives the same answer and changes nothing. */
function commandHandler<
  Schema extends z.ZodMiniType,
  State,
  Event extends DomainEvent,
  Reads,
  Performed,
  Extra extends Setting,
>(
  spec: CommandSpec<Schema, State, Event, Reads, Performed, Extra>,
  shell: Shell<Need | Extra>,
  database: Database,
  outbox: Outbox,
) {
  const { settings } = shell;
  const perform = spec.performs?.(shell, database);
  const { aggregate } = spec;
  const store = openEventStore<State, Event>(database, aggregate);

  const answerAgain = async (
    record: CommandRecord,
    fingerprint: string,
    aggregateId: string,
    events: readonly Event[],
  ) => {
    if (record.fingerprint !== fingerprint)
      throw invalid('idempotency-key-reused', 'This key was used before for another request; take a new key');
    await outbox.publish(await readOutbox(database, 100, 0, `${aggregate.name}.${aggregateId}.`));
    if (record.refusal) throw fromRefusal(record.refusal);
    return aggregate.publish(fold(aggregate, events.slice(0, record.version)), record.version);
  };

  const attempt = async (incoming: Incoming, command: z.infer<Schema>): Promise<object> => {
    const commandId = nameId(incoming.source, incoming.id);
    const id = spec.target(command, commandId);
    const fingerprint = fingerprintOf(command);
    const { events, record, reads } = await store.load<Reads>(id, commandId, spec.reads?.(command));
    if (record) return answerAgain(record, fingerprint, id, events);

    const state = fold(aggregate, events);
    const version = events.length;
    const now = new Date().toISOString();
    const about = { id: commandId, type: spec.type, fingerprint, actor: spec.actor(command) };
    const base = { aggregateId: id, expectedVersion: version, command: about, now, trace: incoming.trace };
    let decided: readonly Event[];
    try {
      refuseOldVersion(spec.expects?.(command), version);
      const performed = perform ? await perform(command, state, { id, version, commandId }) : (null as Performed);
      decided = spec.decide(command, state, { now, id, commandId, reads, performed, settings });
    } catch (thrown) {
      const error = toAppError(thrown);
      if (!isRefusal(error)) throw error;
      const write = spec.writes?.([], state, commandId);
      await store.append(state, { ...base, refusal: toRefusal(error), events: [], write });
      throw error;
    }
    const write = spec.writes?.(decided, state, commandId);
    const messages = await store.append(state, { ...base, events: decided, write });
    await outbox.publish(messages);
    return aggregate.publish(fold(aggregate, decided, state), version + decided.length);
  };

  return async (incoming: Incoming): Promise<object> => {
    if (incoming.type !== spec.type)
      throw invalid('wrong-type', `The type is '${incoming.type}', but this function takes only '${spec.type}'`);
    const command = validate(spec.accepts, incoming.data, `The command ${spec.type}`, 'invalid-command');
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt(incoming, command);
      } catch (thrown) {
        const error = toAppError(thrown);
        if (error.code !== 'conflict' || tries >= DECISIONS) throw error;
      }
    }
  };
}

/** A no that is an answer: of a rule, or of what is not there to somebody who waits; unheard, the latter is a dead letter. */
const isAnswer = (error: AppError, { awaited }: Incoming): boolean =>
  error.code === 'refused' || (awaited && (error.code === 'not-found' || error.slug === 'idempotency-key-reused'));

type Need = 'NATS_URL' | 'DATABASE_URL' | 'DATABASE_CONNECTIONS';

export function command<
  Schema extends z.ZodMiniType,
  State,
  Event extends DomainEvent,
  Reads = null,
  Performed = null,
  Extra extends Setting = never,
>(spec: CommandSpec<Schema, State, Event, Reads, Performed, Extra>): Definition<Need | Extra> {
  const inFlight = 16;
  return {
    kind: 'command',
    needs: ['NATS_URL', 'DATABASE_URL', 'DATABASE_CONNECTIONS', ...(spec.needs ?? [])],
    consumes: [spec.type],
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
      const options = { stream: STREAM, consumer: shell.name, inFlight, batch: 1, concurrency: CONCURRENCY };
      const consumer = consume(shell, bus, options, handle);
      return { ...consumer, http: pushHandler(shell.log, handle) };
    },
  };
}
