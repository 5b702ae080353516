/** Deliveries of webhooks: what they are to staff, how they are listed and asked for, and the task that makes an attempt. */
import * as z from 'zod/mini';
import type { Bus } from '../runtime/bus.ts';
import { type AppError, notFound, refused } from '../runtime/errors.ts';
import { nameId } from '../runtime/ids.ts';
import { type Database, databaseError } from '../runtime/postgres.ts';
import { sendTask, type Task } from '../runtime/task.ts';
import type { Trace } from '../runtime/trace.ts';

/** The function that makes the attempts. */
export const WEBHOOKS = 'webhooks';
export const ATTEMPT = 'webhook.attempt';

/** Nobody asks so often; and the table holds it. */
const MOST_ATTEMPTS = 1_000_000;

/** `attempt` counts all of a delivery, from 1; one that was made is not made again. `step` counts since it was asked for. */
export const attemptData = z.object({
  deliveryId: z.uuid(),
  attempt: z.int().check(z.positive(), z.maximum(MOST_ATTEMPTS)),
  step: z.int().check(z.positive(), z.maximum(MOST_ATTEMPTS)),
});
export type AttemptData = z.infer<typeof attemptData>;

export const attemptTask = (data: AttemptData, trace: Trace, asked = ''): Task => ({
  id: nameId(ATTEMPT, data.deliveryId, String(data.attempt), asked),
  type: ATTEMPT,
  subject: data.deliveryId,
  data,
  trace,
});

/** The same for an event that comes again; it is the `webhook-id` of all attempts. */
export const deliveryIdOf = (endpointId: string, eventId: string): string => nameId('webhook', endpointId, eventId);

export const deliveryStatus = z.enum(['pending', 'delivered', 'failed', 'suppressed']);

export const delivery = z.object({
  deliveryId: z.uuid(),
  eventId: z.string(),
  type: z.string(),
  status: deliveryStatus,
  attempts: z.int().check(z.nonnegative()),
  lastStatus: z.nullable(z.int()),
  lastReason: z.nullable(z.string()),
  nextAttemptAt: z.nullable(z.iso.datetime()),
  createdAt: z.iso.datetime(),
  endedAt: z.nullable(z.iso.datetime()),
});
type Delivery = z.infer<typeof delivery>;

type Row = {
  delivery_id: string;
  event_id: string;
  type: string;
  status: Delivery['status'];
  attempts: number;
  last_status: number | null;
  last_reason: string | null;
  next_attempt_at: Date | null;
  created_at: Date;
  ended_at: Date | null;
};

const COLUMNS = `delivery_id, event_id, type, status, attempts, last_status, last_reason, next_attempt_at,
  created_at, ended_at`;

const toDelivery = (row: Row): Delivery => ({
  deliveryId: row.delivery_id,
  eventId: row.event_id,
  type: row.type,
  status: row.status,
  attempts: row.attempts,
  lastStatus: row.last_status,
  lastReason: row.last_reason,
  nextAttemptAt: row.next_attempt_at?.toISOString() ?? null,
  createdAt: row.created_at.toISOString(),
  endedAt: row.ended_at?.toISOString() ?? null,
});

async function deliveriesBy(database: Database, text: string, values: unknown[]): Promise<Delivery[]> {
  try {
    return (await database.query<Row>(text, values)).rows.map(toDelivery);
  } catch (error) {
    throw databaseError(error);
  }
}

type Page = {
  readonly status?: Delivery['status'] | undefined;
  readonly cursor?: { readonly createdAt: string; readonly id: string } | undefined;
  readonly limit: number;
};

/** Newest first, one more than `limit` when there are more. */
export const listDeliveries = (database: Database, endpointId: string, { status, cursor, limit }: Page) =>
  deliveriesBy(
    database,
    `select ${COLUMNS} from webhook_deliveries
     where endpoint_id = $1 and ($2::text is null or status = $2)
       and ($3::timestamptz is null or (created_at, delivery_id) < ($3, $4::uuid))
     order by created_at desc, delivery_id desc limit $5`,
    [endpointId, status ?? null, cursor?.createdAt ?? null, cursor?.id ?? null, limit + 1],
  );

const disabled = (endpointId: string): AppError =>
  refused('endpoint-disabled', `Webhook endpoint ${endpointId} is disabled; enable it first`);

/** Delivers an event of type webhook.test, whatever types the endpoint wants. The same `eventId` again is the same delivery. */
export async function sendTest(
  database: Database,
  bus: Bus,
  endpointId: string,
  eventId: string,
  trace: Trace,
): Promise<Delivery> {
  const deliveryId = deliveryIdOf(endpointId, eventId);
  const event = {
    specversion: '1.0',
    id: eventId,
    source: '/millrace',
    type: 'webhook.test',
    subject: endpointId,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { endpointId },
  };
  const [made] = await deliveriesBy(
    database,
    `with made as (
       insert into webhook_deliveries (delivery_id, endpoint_id, event_id, type, event, next_attempt_at)
       select $1, endpoint_id, $3, 'webhook.test', $4, now() from webhook_endpoints where endpoint_id = $2 and enabled
       on conflict (event_id, endpoint_id) do nothing returning *)
     select ${COLUMNS} from made
     union all select ${COLUMNS} from webhook_deliveries where delivery_id = $1`,
    [deliveryId, endpointId, eventId, JSON.stringify(event)],
  );
  if (!made) throw disabled(endpointId);
  if (made.status === 'pending')
    await sendTask(bus, WEBHOOKS, attemptTask({ deliveryId, attempt: made.attempts + 1, step: 1 }, trace));
  return made;
}

/** Tries a delivery again, now and by the whole schedule, whatever has become of it. The same `asked` again is the same wish. */
export async function redeliver(
  database: Database,
  bus: Bus,
  { endpointId, deliveryId }: { readonly endpointId: string; readonly deliveryId: string },
  asked: string,
  trace: Trace,
): Promise<Delivery> {
  const [found] = await deliveriesBy(
    database,
    `update webhook_deliveries d set redelivery = $3,
       status = case when redelivery is distinct from $3 then 'pending' else status end,
       ended_at = case when redelivery is distinct from $3 then null else ended_at end,
       next_attempt_at = case when redelivery is distinct from $3 then now() else next_attempt_at end
     where delivery_id = $1 and endpoint_id = $2
       and exists (select from webhook_endpoints e where e.endpoint_id = $2 and e.enabled)
     returning ${COLUMNS}`,
    [deliveryId, endpointId, asked],
  );
  if (!found) throw await whyNot(database, endpointId, deliveryId);
  const data = { deliveryId, attempt: found.attempts + 1, step: 1 };
  if (found.status === 'pending') await sendTask(bus, WEBHOOKS, attemptTask(data, trace, asked));
  return found;
}

async function whyNot(database: Database, endpointId: string, deliveryId: string): Promise<AppError> {
  const text = `select ${COLUMNS} from webhook_deliveries where delivery_id = $1 and endpoint_id = $2`;
  const [known] = await deliveriesBy(database, text, [deliveryId, endpointId]);
  return known
    ? disabled(endpointId)
    : notFound('delivery-not-found', `Webhook endpoint ${endpointId} has no delivery ${deliveryId}`);
}
