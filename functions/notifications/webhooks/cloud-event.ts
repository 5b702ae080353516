/** An event of an order → the CloudEvent 1.0 that partners get, in structured mode. Pure. */
import type { orderEvents } from '../../orders/events.ts';
import type { Incoming } from '../../runtime/bus.ts';
import { invalid } from '../../runtime/errors.ts';
import { validate } from '../../runtime/schema.ts';

type Schemas = typeof orderEvents;

/** Of its data what is published, and no more. Throws `invalid` for another type, and for data that is not as published. */
export function cloudEventOf({ id, source, type, time, data }: Incoming, schemas: Schemas): string {
  if (!Object.hasOwn(schemas, type)) throw invalid('wrong-type', `Webhooks have no use for '${type}'`);
  const published = validate(schemas[type as keyof Schemas], data, `The event ${type}`, 'invalid-event');
  const subject = published.order.orderId;
  const datacontenttype = 'application/json';
  return JSON.stringify({ specversion: '1.0', id, source, type, subject, time, datacontenttype, data: published });
}
