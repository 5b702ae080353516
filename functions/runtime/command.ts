/** Builder of command handlers: message → load, decide (pure), append, publish, answer, ack. */
import type * as z from 'zod/mini';
import type { DomainEvent } from './aggregate.ts';
import { type AppError, toAppError } from './errors.ts';
import type { Definition } from './function.ts';
import { commandHandler } from './handling/command-handler.ts';
import type { CommandSettings, CommandSpec } from './handling/command-spec.ts';
import { consume } from './handling/consume.ts';
import { pushHandler } from './handling/push.ts';
import { natsSettings, openBus } from './jetstream/connection.ts';
import { type Incoming, outcomeOf } from './messages/message.ts';
import { openOutbox } from './outbox.ts';
import { databaseSettings, openDatabase } from './postgres.ts';

export type { Decision } from './handling/command-spec.ts';

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
