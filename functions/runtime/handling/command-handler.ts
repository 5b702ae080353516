/** One command to its end: load, perform, decide (pure), append, publish; the same command again changes nothing. */
import { createHash } from 'node:crypto';
import type * as z from 'zod/mini';
import { type DomainEvent, fold } from '../aggregate.ts';

import { type AppError, invalid, keyReused, toAppError } from '../errors.ts';
import type { Shell } from '../function.ts';
import { commandIdOf, type Incoming, typeOfSubject } from '../messages/message.ts';
import { type Outbox, readOutbox } from '../outbox.ts';
import type { Database } from '../postgres.ts';
import { validate } from '../schema.ts';
import { type CommandRecord, openEventStore } from '../store/event-store.ts';
import { fromRefusal, toRefusal } from '../store/refusal.ts';
import { noteSubject } from '../trace.ts';
import type { CommandSettings, CommandSpec } from './command-spec.ts';
import { openTurns } from './in-turn.ts';

const DECISIONS = 6;

const fingerprintOf = (command: unknown): string =>
  createHash('sha256').update(JSON.stringify(command)).digest('base64url');

/** Codes by which a rule says no: that is the command's answer, kept with it, and not a failure. */
const isRefusal = (error: AppError): boolean => error.code === 'refused' || error.code === 'not-found';

/** Resolves to the public form of what the command led to; throws what it was refused for. */
export function commandHandler<
  Schema extends z.ZodMiniType,
  State,
  Event extends DomainEvent,
  Reads,
  Performed,
  Own extends object,
>(
  spec: CommandSpec<Schema, State, Event, Reads, Performed, Own>,
  shell: Shell<CommandSettings & Own>,
  database: Database,
  outbox: Outbox,
) {
  const { settings } = shell;
  const perform = spec.performs?.(shell, database);
  const { aggregate } = spec;
  const store = openEventStore<State, Event>(database, aggregate);
  const turns = openTurns();

  const answerAgain = async (record: CommandRecord, fingerprint: string, aggregateId: string, state: State) => {
    if (record.fingerprint !== fingerprint) throw keyReused();
    const left = await readOutbox(database, 100, 0, `${aggregate.name}.${aggregateId}.`);
    // What others have left is outbox-relay's: this function may not send it.
    await outbox.publish(left.filter(({ subject }) => spec.publishes.some((type) => type === typeOfSubject(subject))));
    if (record.refusal) throw fromRefusal(record.refusal);
    return aggregate.publish(state, record.version);
  };

  const attempt = async (incoming: Incoming, command: z.infer<Schema>): Promise<object> => {
    const commandId = commandIdOf(incoming);
    const id = spec.target(command, commandId);
    noteSubject(id);
    const fingerprint = fingerprintOf(command);
    const loaded = await store.load<Reads>(id, commandId, spec.reads?.(command));
    const { state, version, snapshotVersion, record, reads } = loaded;
    if (record) return answerAgain(record, fingerprint, id, state);

    const now = new Date().toISOString();
    const about = { id: commandId, type: spec.type, fingerprint, actor: spec.actor(command) };
    const { trace, correlationId = commandId } = incoming;
    const at = { aggregateId: id, expectedVersion: version, snapshotVersion };
    const base = { ...at, command: about, now, trace, correlationId };
    let decided: readonly Event[];
    try {
      const performed = perform
        ? await perform(command, state, { id, version, commandId, fingerprint })
        : (null as Performed);
      decided = spec.decide(command, state, { now, id, version, commandId, reads, performed, settings });
    } catch (thrown) {
      const error = toAppError(thrown);
      if (!isRefusal(error)) throw error;
      const writes = spec.writes?.([], state, commandId);
      await store.append(state, { ...base, refusal: toRefusal(error), events: [], writes });
      throw error;
    }
    const writes = spec.writes?.(decided, state, commandId);
    const messages = await store.append(state, { ...base, events: decided, writes });
    await outbox.publish(messages);
    return aggregate.publish(fold(aggregate, decided, state), version + decided.length);
  };

  const untilDecided = async (incoming: Incoming, command: z.infer<Schema>): Promise<object> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt(incoming, command);
      } catch (thrown) {
        const error = toAppError(thrown);
        if (error.code !== 'conflict' || tries >= DECISIONS) throw error;
      }
    }
  };

  return async (incoming: Incoming): Promise<object> => {
    if (incoming.type !== spec.type)
      throw invalid('wrong-type', `The type is '${incoming.type}', but this function takes only '${spec.type}'`);
    const command = validate(spec.accepts, incoming.data, `The command ${spec.type}`, 'invalid-command');
    const decided = () => untilDecided(incoming, command);
    // What acts on the world may take long: others then learn that it is under way, and do not wait for it.
    return perform ? decided() : turns(spec.target(command, commandIdOf(incoming)), decided);
  };
}
