/** Secrets of webhook endpoints: made here, shown once, and read by nobody but the function that signs with them. */
import { randomBytes } from 'node:crypto';
import type { Queries } from '../runtime/postgres.ts';

const OLD_SECRET_HOURS = 24;
/** That sign at the same time. */
const MOST_SECRETS = 5;

/** Of Standard Webhooks: 24 to 64 random bytes. */
const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

export async function makeSecret(client: Queries, endpointId: string, secretId: string): Promise<string> {
  const secret = newSecret();
  const text = 'insert into webhook_secrets (secret_id, endpoint_id, secret) values ($1, $2, $3)';
  await client.query(text, [secretId, endpointId, secret]);
  return secret;
}

/**
 * The new secret signs at once, and those before it until they expire: the one that was the newest in 24 hours, the others as
 * they would have, since a partner may know only one of them. The same `secretId` again changes nothing, and gives null.
 */
export async function replaceSecret(client: Queries, endpointId: string, secretId: string): Promise<string | null> {
  const known = await client.query('select from webhook_secrets where secret_id = $1', [secretId]);
  if (known.rowCount) return null;
  await client.query(
    `update webhook_secrets s
     set expires_at = case when nth < $3 then coalesce(expires_at, now() + $2 * interval '1 h')
       else least(expires_at, now()) end
     from (select secret_id as id, row_number() over (order by created_at desc) as nth
       from webhook_secrets where endpoint_id = $1) as newest
     where s.secret_id = newest.id`,
    [endpointId, OLD_SECRET_HOURS, MOST_SECRETS],
  );
  return makeSecret(client, endpointId, secretId);
}
