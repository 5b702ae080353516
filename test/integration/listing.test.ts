import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Listing, listingQuery } from '../../functions/api/queries-api/order-view.ts';
import { type Backends, startBackends } from '../support/backends.ts';

let backends: Backends;
const CUSTOMER = '00000000-0000-4000-8000-000000000007';

beforeAll(async () => {
  backends = await startBackends();
  await backends.database.query(
    `insert into order_view
     select gen_random_uuid(), 1, ('00000000-0000-4000-8000-' || lpad((number % 2000)::text, 12, '0'))::uuid,
       (array['open', 'completed', 'completed', 'completed', 'cancelled', 'expired'])[1 + number % 6],
       timestamptz '2026-01-01' + number * interval '1 minute', '{}'
     from generate_series(1, 100000) number`,
  );
  await backends.database.query('analyze order_view');
});

afterAll(() => backends?.stop());

const cursor = { createdAt: '2026-02-01T00:00:00Z', id: CUSTOMER };
const range = { created_after: '2026-01-20T00:00:00.000Z', created_before: '2026-02-01T00:00:00.000Z' };
const filters: Omit<Listing, 'limit'>[] = [{}, { cursor }, range, { ...range, cursor }].flatMap((filter) => [
  filter,
  { ...filter, status: 'open' },
]);
const cases = [undefined, CUSTOMER].flatMap((customerId) => filters.map((filter) => ({ customerId, ...filter })));

test.each(cases)('among 100,000 orders a page of %j is found by an index', async ({ customerId, ...filter }) => {
  const { text, values } = listingQuery({ ...filter, limit: 20 }, customerId);
  const { rows } = await backends.database.query(`explain (analyze, buffers, format json) ${text}`, values);
  const [{ Plan: plan }] = rows[0]['QUERY PLAN'];
  expect(JSON.stringify(plan)).toContain('order_view_');
  expect(JSON.stringify(plan)).not.toContain('Seq Scan');
  expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(200);
});
