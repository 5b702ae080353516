/** Endpoints of webhooks: what staff say of them, and the table that holds them. */
import * as z from 'zod/mini';
import { orderEvents } from '../orders/events.ts';
import { type AppError, invalid, keyReused, notFound, refused } from '../runtime/errors.ts';
import { nameId } from '../runtime/ids.ts';
import { type Database, databaseError, transaction } from '../runtime/postgres.ts';
import { plainText } from '../runtime/schema.ts';
import { makeSecret, replaceSecret } from './webhook-secrets.ts';
import { type AllowedTarget, targetFault } from './webhook-target.ts';

export { targetSettings as webhookTargetSettings } from './webhook-target.ts';

/** Whoever wants all types, those to come included. */
const ALL_TYPES = '*';
const eventType = z.enum(
  [ALL_TYPES, ...Object.keys(orderEvents)],
  `must be * or one of ${Object.keys(orderEvents).join(', ')}`,
);

const details = {
  url: z.string(),
  eventTypes: z.array(eventType).check(z.minLength(1), z.maxLength(20)),
  description: plainText(200),
};
export const newEndpoint = z.strictObject({ ...details, description: z.optional(details.description) });
export const endpointChange = z.partial(z.strictObject({ ...details, enabled: z.boolean() }));

export const endpoint = z.object({
  endpointId: z.uuid(),
  url: z.string(),
  eventTypes: z.array(z.string()),
  description: z.string(),
  enabled: z.boolean(),
  disabledReason: z.nullable(z.string()),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  /** Until then deliveries are signed with the secret before, too. */
  oldSecretExpiresAt: z.nullable(z.iso.datetime()),
});
type Endpoint = z.infer<typeof endpoint>;

const MOST_ENDPOINTS = 50;
const DISABLED_BY_STAFF = 'disabled by staff';

const COLUMNS = `e.endpoint_id, e.url, e.event_types, e.description, e.enabled, e.disabled_reason, e.created_at, e.updated_at,
  (select max(expires_at) from webhook_secrets s where s.endpoint_id = e.endpoint_id and expires_at > now()) as old_secret_until`;

type Row = {
  endpoint_id: string;
  url: string;
  event_types: string[];
  description: string;
  enabled: boolean;
  disabled_reason: string | null;
  created_at: Date;
  updated_at: Date;
  old_secret_until: Date | null;
};

const toEndpoint = (row: Row): Endpoint => ({
  endpointId: row.endpoint_id,
  url: row.url,
  eventTypes: row.event_types,
  description: row.description,
  enabled: row.enabled,
  disabledReason: row.disabled_reason,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
  oldSecretExpiresAt: row.old_secret_until?.toISOString() ?? null,
});

const noEndpoint = (endpointId: string): AppError =>
  notFound('endpoint-not-found', `There is no webhook endpoint ${endpointId}`);

function checkUrl(url: string, allowed: AllowedTarget): void {
  const message = targetFault(url, allowed);
  if (message) throw invalid('invalid-body', `The body is not valid: url: ${message}`, [{ field: 'url', message }]);
}

/** The rows of a statement as endpoints; throws `unavailable` when Postgres does not answer. */
async function endpointsBy(database: Pick<Database, 'query'>, text: string, values: unknown[]): Promise<Endpoint[]> {
  try {
    return (await database.query<Row>(text, values)).rows.map(toEndpoint);
  } catch (error) {
    throw databaseError(error);
  }
}

export const listEndpoints = (database: Database): Promise<Endpoint[]> =>
  endpointsBy(database, `select ${COLUMNS} from webhook_endpoints e order by created_at, endpoint_id limit 1000`, []);

/** Throws `not-found`. */
export async function findEndpoint(database: Pick<Database, 'query'>, endpointId: string): Promise<Endpoint> {
  const text = `select ${COLUMNS} from webhook_endpoints e where endpoint_id = $1`;
  const [found] = await endpointsBy(database, text, [endpointId]);
  if (found) return found;
  throw noEndpoint(endpointId);
}

/** An endpoint, and the secret that was made for it; null when the same request has made it before: nobody can read it then. */
export type WithSecret = Endpoint & { readonly secret: string | null };

/** The same `endpointId` again, made from the request's key, is the same endpoint; throws `idempotency-key-reused` when it differs. */
export async function createEndpoint(
  database: Database,
  endpointId: string,
  wanted: z.infer<typeof newEndpoint>,
  allowed: AllowedTarget,
): Promise<WithSecret> {
  const { url, eventTypes, description = '' } = wanted;
  checkUrl(url, allowed);
  const fingerprint = nameId(url, JSON.stringify(eventTypes), description);
  try {
    return await transaction(database, async (client) => {
      // One at a time, or the count would not hold.
      await client.query(`select pg_advisory_xact_lock(hashtext('webhook_endpoints'))`);
      const known = await client.query<{ fingerprint: string }>(
        'select fingerprint from webhook_endpoints where endpoint_id = $1',
        [endpointId],
      );
      if (known.rows[0] && known.rows[0].fingerprint !== fingerprint) throw keyReused();
      if (known.rows[0]) return { ...(await findEndpoint(client, endpointId)), secret: null };
      const { rowCount } = await client.query(
        `insert into webhook_endpoints (endpoint_id, url, event_types, description, fingerprint)
         select $1, $2, $3, $4, $5 where (select count(*) from webhook_endpoints) < $6`,
        [endpointId, url, eventTypes, description, fingerprint, MOST_ENDPOINTS],
      );
      if (rowCount === 0)
        throw refused('too-many-endpoints', `There are ${MOST_ENDPOINTS} webhook endpoints; delete one first`);
      const secret = await makeSecret(client, endpointId, nameId('webhook-secret', endpointId));
      return { ...(await findEndpoint(client, endpointId)), secret };
    });
  } catch (error) {
    throw databaseError(error);
  }
}

/** As `replaceSecret`, which says how long the secrets before it sign; throws `not-found`. */
export async function rotateSecret(database: Database, endpointId: string, secretId: string): Promise<WithSecret> {
  try {
    return await transaction(database, async (client) => {
      const { rowCount } = await client.query(
        'update webhook_endpoints set updated_at = now() where endpoint_id = $1',
        [endpointId],
      );
      if (rowCount === 0) throw noEndpoint(endpointId);
      const secret = await replaceSecret(client, endpointId, secretId);
      return { ...(await findEndpoint(client, endpointId)), secret };
    });
  } catch (error) {
    throw databaseError(error);
  }
}

/** What is not in `change` stays. An endpoint that is disabled gets nothing of what waits for it. */
export async function changeEndpoint(
  database: Database,
  endpointId: string,
  change: z.infer<typeof endpointChange>,
  allowed: AllowedTarget,
): Promise<Endpoint> {
  if (change.url !== undefined) checkUrl(change.url, allowed);
  const { url = null, eventTypes = null, description = null, enabled = null } = change;
  const [changed] = await endpointsBy(
    database,
    `with suppressed as (
       update webhook_deliveries set status = 'suppressed', ended_at = now(), next_attempt_at = null
       where endpoint_id = $1 and status = 'pending' and $5 = false)
     update webhook_endpoints e
     set url = coalesce($2, url), event_types = coalesce($3, event_types), description = coalesce($4, description),
       enabled = coalesce($5, enabled), updated_at = now(),
       disabled_reason = case when $5 then null when $5 = false then coalesce(disabled_reason, $6) else disabled_reason end
     where endpoint_id = $1 returning ${COLUMNS}`,
    [endpointId, url, eventTypes, description, enabled, DISABLED_BY_STAFF],
  );
  if (changed) return changed;
  throw noEndpoint(endpointId);
}

/** Its deliveries go with it. One that is not there is no error. */
export async function deleteEndpoint(database: Database, endpointId: string): Promise<void> {
  await endpointsBy(database, 'delete from webhook_endpoints where endpoint_id = $1', [endpointId]);
}
