/** The events that a function takes → what its code says about them, and an example. Pure. */
import type * as z from 'zod/mini';
import { orderEvents } from '../../functions/orders/events.ts';
import { userEvents } from '../../functions/users/events.ts';
import type { Request } from './request.ts';
import { pathTo } from './sources.ts';

export const ID = '0199aaaa-0000-7000-8000-000000000001';
export const TIME = '2026-11-20T12:00:00.000Z';

const SCHEMAS: Readonly<Record<string, z.ZodMiniObject>> = { ...orderEvents, ...userEvents };

/** Every event that can be taken. */
export const EVENTS = Object.keys(SCHEMAS);

export const aggregateOf = (event: string): string => event.split('.')[0] ?? '';

/** Names and expressions for a source. */
export function wordsOf({ context, events }: Request) {
  const isOfUsers = events.some((event) => aggregateOf(event) === 'user');
  const schemas = isOfUsers ? 'userEvents' : 'orderEvents';
  return {
    isOfUsers,
    list: events.join(', '),
    stream: isOfUsers ? 'USERS' : 'ORDERS',
    schemas,
    module: pathTo(context, isOfUsers ? 'users' : 'orders', 'events.ts'),
    data: `z.infer<(typeof ${schemas})[${events.map((event) => `'${event}'`).join(' | ')}]>`,
    accepts: `{ ${events.map((event) => `'${event}': ${schemas}['${event}']`).join(', ')} }`,
  };
}

const ORDER = `{
  orderId: '${ID}', version: 1, customerId: '${ID}', status: 'open', currency: 'EUR', lines: [], totalMinor: 2500,
  shippingCountry: null, createdAt: '${TIME}',
}`;

function sample(field: string): string {
  if (field === 'order') return ORDER;
  if (field === 'lines') return '[]';
  if (field.endsWith('Minor')) return '700';
  if (field.endsWith('Id')) return `'${ID}'`;
  return field.endsWith('At') ? `'${TIME}'` : "'text'";
}

/** The data of the first event, as an expression that its schema checks. */
export function example(request: Request): string {
  const [event = ''] = request.events;
  const fields = Object.keys(SCHEMAS[event]?.shape ?? {}).map((field) => `${field}: ${sample(field)}`);
  return `${wordsOf(request).schemas}['${event}'].parse({ ${fields.join(', ')} })`;
}
