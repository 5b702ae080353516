/** Builder of notifiers: event → one delivery, claimed in Postgres first, so that no repeat delivers it again. */
import type * as z from 'zod/mini';
import { openBus } from './bus.ts';
import { AGAIN, openClaims } from './claims.ts';
import type { Setting } from './config.ts';
import { consume } from './consume.ts';
import type { Definition } from './function.ts';
import { handlerOf, LATER, type NotifierSpec } from './notices.ts';
import { openDatabase } from './postgres.ts';
import { pushHandler } from './push.ts';

const IN_FLIGHT = 8;

export function notifier<Schema extends z.ZodMiniType, Need extends Setting>(
  spec: NotifierSpec<Schema, Need>,
): Definition<Need | 'NATS_URL' | 'DATABASE_URL' | 'DATABASE_CONNECTIONS'> {
  const types = Object.keys(spec.accepts);
  return {
    kind: 'notifier',
    needs: ['NATS_URL', 'DATABASE_URL', 'DATABASE_CONNECTIONS', ...spec.needs],
    consumes: types,
    publishes: [],
    schedules: [],
    inFlight: IN_FLIGHT,
    async start(shell) {
      const bus = await openBus(shell);
      const database = openDatabase(shell);
      const parts = { bus, claims: openClaims(database, shell.name), deliver: spec.open(shell, database) };
      const handle = handlerOf(spec, shell, parts);
      const options = {
        stream: spec.stream,
        consumer: shell.name,
        types: [...types, LATER, AGAIN],
        inFlight: IN_FLIGHT,
        batch: 1,
        concurrency: IN_FLIGHT,
      };
      return { ...consume(shell, bus, options, handle), http: pushHandler(shell.log, handle) };
    },
  };
}
