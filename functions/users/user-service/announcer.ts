/** Publishes stored events in the background: what fails stays in the outbox, and outbox-relay publishes it. */

import { type NatsSettings, openBus } from '../../runtime/bus.ts';
import { toAppError } from '../../runtime/errors.ts';
import type { Shell } from '../../runtime/function.ts';
import { type Outbox, type OutboxMessage, openOutbox } from '../../runtime/outbox.ts';
import type { Database } from '../../runtime/postgres.ts';

export function openAnnouncer(shell: Shell<NatsSettings>, database: Database) {
  let outbox: Outbox | undefined;
  // Not awaited: users sign in and are created while NATS is away.
  openBus(shell).then(
    (bus) => {
      outbox = openOutbox(shell, database, bus);
    },
    (error) => shell.log.error({ error: toAppError(error).message }, 'cannot connect to NATS'),
  );
  const publishing = new Set<Promise<void>>();

  const publish = async (message: OutboxMessage): Promise<void> => {
    const about = { event: message.event_id, subject: message.subject };
    try {
      if (!outbox) return shell.log.warn(about, 'not connected to NATS; the event stays in the outbox for the relay');
      await outbox.publish([message]);
    } catch (error) {
      const detail = toAppError(error).message;
      shell.log.warn({ ...about, detail }, 'could not publish; the event stays in the outbox for the relay');
    }
  };

  return {
    announce(message: OutboxMessage): void {
      const work = publish(message).finally(() => publishing.delete(work));
      publishing.add(work);
    },
    /** Resolves when everything announced is published and out of the outbox, or is left to the relay. */
    async settle(): Promise<void> {
      await Promise.all(publishing);
      await outbox?.removed();
    },
  };
}
