/** The rows of deliveries, as the function that makes them needs them: which there are to be, and what became of each. */
import { type Database, databaseError } from '../../runtime/postgres.ts';
import { deliveryIdOf } from '../webhook-deliveries.ts';
import type { Answer } from './outcome.ts';

/** A delivery that is to be tried; `secrets` are all that are good at the moment, the newest first. */
export type Loaded = {
  readonly endpointId: string;
  readonly type: string;
  readonly event: string;
  readonly status: string;
  readonly attempts: number;
  readonly createdAt: Date;
  /** When this attempt was to be made. */
  readonly dueAt: Date;
  readonly enabled: boolean;
  readonly url: string;
  readonly secrets: readonly string[];
};

/** What an attempt led to. `nextAt` is RFC 3339, of one that is still pending. */
export type Change = {
  readonly deliveryId: string;
  readonly attempt: number;
  readonly status: 'pending' | 'delivered' | 'failed' | 'suppressed';
  readonly answer: Answer;
  readonly nextAt?: string | undefined;
};

const KEPT_DAYS = 30;
const MOST_REMOVED = 1_000;

export function openStore(database: Database) {
  const query = async <Row extends object>(name: string, text: string, values: unknown[]): Promise<Row[]> => {
    try {
      return (await database.query<Row>({ name, text, values })).rows;
    } catch (error) {
      throw databaseError(error);
    }
  };

  return {
    /** A delivery to each endpoint that wants the event; those that are there stay as they are. Gives all of them. */
    async addDeliveries(eventId: string, type: string, event: string): Promise<string[]> {
      const endpoints = await query<{ endpoint_id: string }>(
        'webhook-endpoints-for',
        `select endpoint_id from webhook_endpoints where enabled and event_types && array[$1, '*']`,
        [type],
      );
      const endpointIds = endpoints.map(({ endpoint_id }) => endpoint_id);
      if (endpointIds.length === 0) return [];
      const deliveryIds = endpointIds.map((endpointId) => deliveryIdOf(endpointId, eventId));
      // Of an endpoint that was deleted meanwhile there is none.
      await query(
        'webhook-deliveries-add',
        `insert into webhook_deliveries (delivery_id, endpoint_id, event_id, type, event, next_attempt_at)
         select delivery_id, endpoint_id, $3, $4, $5, now()
         from unnest($1::uuid[], $2::uuid[]) as wanted (delivery_id, endpoint_id)
         join webhook_endpoints using (endpoint_id)
         on conflict (event_id, endpoint_id) do nothing`,
        [deliveryIds, endpointIds, eventId, type, event],
      );
      return deliveryIds;
    },

    async load(deliveryId: string): Promise<Loaded | undefined> {
      const [row] = await query<Loaded>(
        'webhook-delivery',
        `select d.endpoint_id as "endpointId", d.type, d.event, d.status, d.attempts, d.created_at as "createdAt",
           coalesce(d.next_attempt_at, d.created_at) as "dueAt", e.enabled, e.url,
           array(select secret from webhook_secrets s where s.endpoint_id = e.endpoint_id
             and (s.expires_at is null or s.expires_at > now()) order by s.created_at desc) as secrets
         from webhook_deliveries d join webhook_endpoints e using (endpoint_id) where d.delivery_id = $1`,
        [deliveryId],
      );
      return row;
    },

    /** Changes nothing when a later attempt was noted, or the delivery has ended; but what arrived has arrived. */
    async note({ deliveryId, attempt, status, answer, nextAt }: Change): Promise<void> {
      await query(
        'webhook-delivery-note',
        `update webhook_deliveries
         set attempts = greatest(attempts, $2), status = $3, last_status = $4, last_reason = $5, next_attempt_at = $6,
           ended_at = case when $3 <> 'pending' then now() end
         where delivery_id = $1
           and (attempts < $2 and status = 'pending' or $3 = 'delivered' and status <> 'delivered')`,
        [deliveryId, attempt, status, answer.status ?? null, answer.reason, nextAt ?? null],
      );
    },

    /** Ends a delivery to an endpoint that was disabled while it came to be. */
    async suppress(deliveryId: string): Promise<void> {
      await query(
        'webhook-delivery-suppress',
        `update webhook_deliveries set status = 'suppressed', ended_at = now(), next_attempt_at = null
         where delivery_id = $1 and status = 'pending'`,
        [deliveryId],
      );
    },

    /** Removes some of the deliveries that ended too long ago to be asked for; gives how many. */
    async removeOld(): Promise<number> {
      const removed = await query(
        'webhook-deliveries-remove',
        `delete from webhook_deliveries where delivery_id in (
           select delivery_id from webhook_deliveries where ended_at < now() - $1 * interval '1 day'
           order by ended_at limit $2 for update skip locked) returning 1`,
        [KEPT_DAYS, MOST_REMOVED],
      );
      return removed.length;
    },

    /** Nothing more is sent there: it is disabled, and what waits for it is suppressed. Gives how many deliveries that are. */
    async disable(endpointId: string, reason: string): Promise<number> {
      const [row] = await query<{ suppressed: number }>(
        'webhook-endpoint-disable',
        `with disabled as (
           update webhook_endpoints set enabled = false, disabled_reason = $2, updated_at = now()
           where endpoint_id = $1 and enabled),
         suppressed as (
           update webhook_deliveries set status = 'suppressed', ended_at = now(), next_attempt_at = null
           where endpoint_id = $1 and status = 'pending' returning 1)
         select count(*)::integer as suppressed from suppressed`,
        [endpointId, reason],
      );
      return row?.suppressed ?? 0;
    },
  };
}

export type Store = ReturnType<typeof openStore>;
