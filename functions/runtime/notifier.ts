/** Builder of notifiers: event → one delivery, claimed in Postgres first, so that no repeat delivers it again. */
import type * as z from 'zod/mini';
import { openBus } from './bus.ts';
import type { Setting } from './config.ts';
import { consume } from './consume.ts';
import { invalid, toAppError, unavailable } from './errors.ts';
import type { Definition, Shell } from './function.ts';
import type { Incoming } from './message.ts';
import { type Database, databaseError, openDatabase } from './postgres.ts';
import { pushHandler } from './push.ts';
import type { Trace } from './trace.ts';
import { validate } from './validate.ts';

type Notice<Data> = { readonly eventId: string; readonly type: string; readonly data: Data; readonly trace: Trace };

type NotifierSpec<Schema extends z.ZodMiniType, Need extends Setting> = {
  readonly stream: string;
  readonly needs: readonly Need[];
  /** Event type → the name of what is delivered for it, and the schema of the event's data. */
  readonly accepts: Readonly<Record<string, { readonly template: string; readonly schema: Schema }>>;
  /** Opens what delivers. A delivery that takes over 25 s is tried again. */
  open(shell: Shell<Need>): (notice: Notice<z.infer<Schema>> & { readonly template: string }) => Promise<void>;
};

const IN_FLIGHT = 8;

/** Less than the consumer's ackWait, and than the claim: nobody else begins while this one is at it. */
const DELIVERY_MS = 25_000;
const CLAIM_SECONDS = 30;
const TOO_SLOW = 'delivery-too-slow';

/** A delivery that takes too long is given up here, but may still happen: its claim is left to run out. */
async function inTime(delivery: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(TOO_SLOW, `A delivery took over ${DELIVERY_MS} ms`)), DELIVERY_MS);
  });
  await Promise.race([delivery, late]).finally(() => clearTimeout(timer));
}

type Claims = {
  /** True: deliver it now. False: it was delivered before. Throws `unavailable` while somebody else is at it. */
  claim(eventId: string, template: string): Promise<boolean>;
  sent(eventId: string, template: string): Promise<void>;
  /** The delivery failed: the next attempt need not wait for the claim to run out. */
  release(eventId: string, template: string): Promise<void>;
};

function openClaims(database: Database): Claims {
  const query = async (name: string, text: string, values: unknown[]) => {
    try {
      return (await database.query<{ claimed: boolean; status: string }>({ name, text, values })).rows[0];
    } catch (error) {
      throw databaseError(error);
    }
  };
  return {
    async claim(eventId, template) {
      const row = await query(
        'claim',
        `with claim as (
           insert into notifications as n (event_id, template, status, claimed_until)
           values ($1, $2, 'claimed', now() + $3 * interval '1 s')
           on conflict (event_id, template) do update
             set attempts = n.attempts + 1, claimed_until = excluded.claimed_until
             where n.status = 'claimed' and n.claimed_until <= now()
           returning status)
         select true as claimed, status from claim
         union all
         select false, status from notifications where event_id = $1 and template = $2 and not exists (select from claim)`,
        [eventId, template, CLAIM_SECONDS],
      );
      if (row && row.status !== 'claimed') return false;
      if (row?.claimed) return true;
      throw unavailable('claimed-elsewhere', `${template} for ${eventId} is being delivered by another process`);
    },
    async sent(eventId, template) {
      const text = `update notifications set status = 'sent', sent_at = now() where event_id = $1 and template = $2`;
      await query('claim-sent', text, [eventId, template]);
    },
    async release(eventId, template) {
      const text = `update notifications set claimed_until = now() where event_id = $1 and template = $2 and status = 'claimed'`;
      await query('claim-release', text, [eventId, template]);
    },
  };
}

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
      const claims = openClaims(openDatabase(shell));
      const deliver = spec.open(shell);
      const handle = async ([incoming]: readonly Incoming[]): Promise<void> => {
        if (!incoming) return;
        const { id: eventId, type, trace } = incoming;
        const accepted = spec.accepts[type];
        if (!accepted) throw invalid('wrong-type', `This notifier has no use for '${type}'`);
        const { template, schema } = accepted;
        const data = validate(schema, incoming.data, `The event ${type}`, 'invalid-event');
        if (!(await claims.claim(eventId, template))) return;
        try {
          await inTime(deliver({ eventId, type, data, template, trace }));
        } catch (error) {
          if (toAppError(error).slug !== TOO_SLOW) await claims.release(eventId, template);
          throw error;
        }
        await claims.sent(eventId, template);
        shell.log.info({ event: eventId, template, traceId: trace.traceId }, 'delivered');
      };
      const options = {
        stream: spec.stream,
        consumer: shell.name,
        types,
        inFlight: IN_FLIGHT,
        batch: 1,
        concurrency: IN_FLIGHT,
      };
      return { ...consume(shell, bus, options, handle), http: pushHandler(shell.log, handle) };
    },
  };
}
