/** Builder of command handlers: message → load, decide (pure), append, publish, answer, ack. */
import { createHash } from 'node:crypto';
import type * as z from 'zod/mini';
import { openBus } from './bus.ts';
import { consume } from './consume.ts';
import { type AppError, invalid, refused, toAppError } from './errors.ts';
import {
  type Aggregate,
  type CommandRecord,
  type DomainEvent,
  openEventStore,
  type Read,
  type Write,
} from './event-store.ts';
import type { Definition } from './function.ts';
import { nameId } from './ids.ts';
import { type Incoming, outcomeOf } from './message.ts';
import { type Outbox, openOutbox, readOutbox } from './outbox.ts';
import { type Database, openDatabase } from './postgres.ts';
import { pushHandler } from './push.ts';
import { validate } from './validate.ts';

export type Decision<Reads> = { readonly now: string; readonly id: string; readonly reads: Reads };

type CommandSpec<Schema extends z.ZodMiniType, State, Event extends DomainEvent, Reads> = {
  /** Such as `command.order.create`: the subject on stream COMMANDS. */
  readonly type: `command.${string}`;
  readonly accepts: Schema;
  readonly aggregate: Aggregate<State, Event>;
  /** Id of the aggregate that the command is for; `commandId` is there for commands that create one. */
  target(command: z.infer<Schema>, commandId: string): string;
  /** Who wants it; kept with the events for audit. */
  actor(command: z.infer<Schema>): string;
  /** What the decision needs to know besides the aggregate. */
  reads?(command: z.infer<Schema>): Read;
  /** Pure. The events that the command leads to; throws `refused` when a rule says no. */
  decide(command: z.infer<Schema>, state: State, decision: Decision<Reads>): readonly Event[];
  /** What else changes in the same transaction. A constraint that it breaks makes the command be decided anew. */
  writes?(events: readonly Event[]): Write;
};

const STREAM = 'COMMANDS';
const CONCURRENCY = 8;
const DECISIONS = 6;

const fingerprintOf = (command: unknown): string =>
  createHash('sha256').update(JSON.stringify(command)).digest('base64url');

const fold = <State, Event extends DomainEvent>(aggregate: Aggregate<State, Event>, events: readonly Event[]): State =>
  events.reduce((state, event) => aggregate.evolve(state, event), aggregate.initial);

/** The refusal in `error`, or undefined: only a rule's no is kept as the command's answer. */
const refusalOf = ({ code, slug, message, fields }: AppError): CommandRecord['refusal'] =>
  code === 'refused' ? { slug, message, fields } : null;

/** Handles one command to its end; the same command again gives the same answer and changes nothing. */
function commandHandler<Schema extends z.ZodMiniType, State, Event extends DomainEvent, Reads>(
  spec: CommandSpec<Schema, State, Event, Reads>,
  database: Database,
  outbox: Outbox,
) {
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
    if (record.refusal) throw refused(record.refusal.slug, record.refusal.message, record.refusal.fields);
    return aggregate.publish(fold(aggregate, events.slice(0, record.version)), record.version);
  };

  const attempt = async (incoming: Incoming, command: z.infer<Schema>): Promise<object> => {
    const commandId = nameId(incoming.source, incoming.id);
    const aggregateId = spec.target(command, commandId);
    const fingerprint = fingerprintOf(command);
    const { events, record, reads } = await store.load<Reads>(aggregateId, commandId, spec.reads?.(command));
    if (record) return answerAgain(record, fingerprint, aggregateId, events);

    const state = fold(aggregate, events);
    const now = new Date().toISOString();
    const base = {
      aggregateId,
      expectedVersion: events.length,
      command: { id: commandId, type: spec.type, fingerprint, actor: spec.actor(command) },
      now,
      trace: incoming.trace,
    };
    let decided: readonly Event[];
    try {
      decided = spec.decide(command, state, { now, id: aggregateId, reads });
    } catch (thrown) {
      const refusal = refusalOf(toAppError(thrown));
      if (refusal) await store.append(state, { ...base, refusal, events: [] });
      throw thrown;
    }
    const messages = await store.append(state, { ...base, events: decided, write: spec.writes?.(decided) });
    await outbox.publish(messages);
    return aggregate.publish(fold({ ...aggregate, initial: state }, decided), events.length + decided.length);
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

/** A no that is an answer: of a rule, or about the key of somebody who waits; unheard, the latter is a dead letter. */
const isAnswer = (error: AppError, { awaited }: Incoming): boolean =>
  error.code === 'refused' || (error.slug === 'idempotency-key-reused' && awaited);

export function command<Schema extends z.ZodMiniType, State, Event extends DomainEvent, Reads = null>(
  spec: CommandSpec<Schema, State, Event, Reads>,
): Definition<'NATS_URL' | 'DATABASE_URL' | 'DATABASE_CONNECTIONS'> {
  const inFlight = 16;
  return {
    kind: 'command',
    needs: ['NATS_URL', 'DATABASE_URL', 'DATABASE_CONNECTIONS'],
    consumes: [spec.type],
    inFlight,
    async start(shell) {
      const bus = await openBus(shell);
      const database = openDatabase(shell);
      const outbox = openOutbox(shell, database, bus);
      const handleOne = commandHandler(spec, database, outbox);
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
