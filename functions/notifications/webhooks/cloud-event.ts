/** An event of an order → the CloudEvent 1.0 that partners get, in structured mode. Pure. */
import type * as z from 'zod/mini';
import type { orderEvents } from '../../orders/events.ts';
import type { Incoming } from '../../runtime/bus.ts';

type Published = z.infer<(typeof orderEvents)[keyof typeof orderEvents]>;

/** `data` is what is published of the event's, and no more. */
export function cloudEventOf({ id, source, type, time }: Incoming, data: Published): string {
  const subject = data.order.orderId;
  return JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type,
    subject,
    time,
    datacontenttype: 'application/json',
    data,
  });
}
