/** GET /v1/orders and below: pages, one order now or as it was, its history. Customers see their own; another's is 404. */
import * as z from 'zod/mini';
import { orderAsOf, readOrderHistory } from '../../orders/client.ts';
import { AppError, notFound } from '../../runtime/errors.ts';
import type { Stretch } from '../../runtime/history.ts';
import { type Caller, callerRoute, type Reply, type Route } from '../../runtime/http.ts';
import type { Database } from '../../runtime/postgres.ts';
import { order, orderEvent } from '../answers.ts';
import { etagOf, HEADERS, type Headers, hasSeen, preferredWaitMs, versionOfIfMatch, waitMs } from '../headers.ts';
import { cursor, time, wholeNumber } from '../query.ts';
import { awaitOrder, DEFAULT_LIMIT, listOrders, maySee, type Shown } from './order-view.ts';

const page = z.strictObject({
  status: z.optional(order.shape.status),
  created_after: z.optional(time('Orders created at this time (RFC 3339) or later.')),
  created_before: z.optional(time('Orders created before this time (RFC 3339).')),
  limit: z.optional(wholeNumber(1, 100, 'How many orders at most; 20 unless told.')),
  cursor: z.optional(cursor),
});

const HIGHEST_VERSION = 2_147_483_647;
const MOST_EVENTS = 100;

const moment = z
  .strictObject({
    version: z.optional(wholeNumber(1, HIGHEST_VERSION, 'The order as it stood at this version.')),
    at: z.optional(time('The order as it stood at this time (RFC 3339).')),
  })
  .check(
    z.refine(({ version, at }) => version === undefined || at === undefined, {
      path: ['at'],
      message: 'names one state and version another; send one of them',
    }),
  );

const stretch = z.strictObject({
  limit: z.optional(wholeNumber(1, MOST_EVENTS, `How many events at most; ${MOST_EVENTS} unless told.`)),
  cursor: z.optional(wholeNumber(1, HIGHEST_VERSION, 'Where to go on: follow the Link header of the page before.')),
});

const params = z.strictObject({ orderId: z.uuid() });

const noOrder = (orderId: string): AppError => notFound('order-not-found', `There is no order ${orderId}`);

/** The link to the next page: the same query from the cursor on. */
function nextPage(path: string, query: object, next: string): string {
  const parameters = Object.entries({ ...query, cursor: next }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return `<${path}?${new URLSearchParams(Object.fromEntries(parameters))}>; rel="next"`;
}

const JSON_CONTENT = { 'content-type': 'application/json' };

function showOrder({ version, json }: Shown, headers: Headers): Reply {
  const etag = etagOf({ version });
  const validators = { etag, 'cache-control': 'private, no-cache' };
  if (hasSeen(headers, etag)) return { status: 304, headers: validators };
  return { status: 200, text: json, headers: { ...validators, ...JSON_CONTENT } };
}

/** The order that the view has, at least at the version of If-Match; with `Prefer: wait` an order may yet have to come. */
async function currentOrder(database: Database, caller: Caller, orderId: string, headers: Headers) {
  const asked = versionOfIfMatch(headers);
  const wait = asked === undefined ? (preferredWaitMs(headers) ?? 0) : waitMs(headers);
  const found = await awaitOrder(database, caller, orderId, asked ?? 1, wait);
  if (asked !== undefined && (found?.version ?? 0) < asked)
    throw new AppError(
      'conflict',
      'version-not-reached',
      `Order ${orderId} cannot be read at version ${asked} yet; wait longer, with Prefer: wait=20, or leave If-Match out`,
    );
  if (!found) throw noOrder(orderId);
  return found;
}

/** The events above version `after`, `most` at most. */
async function historyFor(database: Database, caller: Caller, orderId: string, { after = 0, most }: Stretch) {
  const history = await readOrderHistory(database, orderId, { after, most });
  const first = after === 0 ? history.slice(0, 1) : await readOrderHistory(database, orderId, { most: 1 });
  const created = orderAsOf(first, {});
  if (!created || !maySee(caller, created)) throw noOrder(orderId);
  return history;
}

async function pastOrder(
  database: Database,
  caller: Caller,
  orderId: string,
  when: z.infer<typeof moment>,
): Promise<Shown> {
  const found = orderAsOf(await historyFor(database, caller, orderId, { most: when.version }), when);
  if (found) return { version: found.version, json: JSON.stringify(found) };
  const what = when.at === undefined ? `has no version ${when.version}` : `was not there at ${when.at}`;
  throw notFound('version-not-found', `Order ${orderId} ${what}; GET /v1/orders/${orderId}/events lists what was`);
}

export const orderRoutes = (database: Database): Route[] => [
  callerRoute(
    {
      method: 'GET',
      path: '/v1/orders',
      summary: 'Orders, newest first: your own, or for staff everybody’s',
      details: 'When there is a next page, the header Link names it (rel="next").',
      query: page,
      answers: { 200: z.object({ orders: z.array(order) }) },
    },
    async ({ caller, query }) => {
      const { orders, next } = await listOrders(database, caller, { ...query, limit: query.limit ?? DEFAULT_LIMIT });
      const headers = { ...JSON_CONTENT, ...(next ? { link: nextPage('/v1/orders', query, next) } : {}) };
      return { status: 200, text: `{"orders":[${orders.join(',')}]}`, headers };
    },
  ),

  callerRoute(
    {
      method: 'GET',
      path: '/v1/orders/:orderId',
      subject: 'orderId',
      summary: 'An order as it stands, or as it once stood',
      details:
        'The ETag is its version. To read what you have written, send the ETag of the write as If-Match: the answer waits ' +
        'for that version, or is 412 when Prefer: wait is over. With Prefer: wait alone it waits for an order that is not ' +
        'there yet. `version` and `at` read the history, which is always up to date, and do not wait.',
      params,
      query: moment,
      headers: { ...HEADERS.minimumVersion, ...HEADERS.prefer, ...HEADERS.ifNoneMatch },
      answers: { 200: order, 304: null },
    },
    async ({ caller, params: { orderId }, query, headers }) => {
      const past = query.version !== undefined || query.at !== undefined;
      const shown = past
        ? await pastOrder(database, caller, orderId, query)
        : await currentOrder(database, caller, orderId, headers);
      return showOrder(shown, headers);
    },
  ),

  callerRoute(
    {
      method: 'GET',
      path: '/v1/orders/:orderId/events',
      subject: 'orderId',
      summary: 'What happened to an order, oldest first: what, when, by whom',
      details: 'When there is a next page, the header Link names it (rel="next").',
      params,
      query: stretch,
      answers: { 200: z.object({ events: z.array(orderEvent) }) },
    },
    async ({ caller, params: { orderId }, query }) => {
      const { limit = MOST_EVENTS, cursor: after } = query;
      const found = await historyFor(database, caller, orderId, { after, most: limit + 1 });
      const history = found.slice(0, limit);
      const next = found.length > limit ? history.at(-1)?.version : undefined;
      const link = next && nextPage(`/v1/orders/${orderId}/events`, query, String(next));
      const events = history.map(({ event, ...about }) => ({ ...about, ...event }));
      return { status: 200, body: { events }, headers: link ? { link } : {} };
    },
  ),
];
