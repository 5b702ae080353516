/** Pure: order.created → commands to send, now or later. */
import type * as z from 'zod/mini';
import type { orderEvents } from '../../orders/events.ts';
import type { Reaction } from '../../runtime/policy.ts';
import { RESERVE_STOCK } from '../commands.ts';

type Data = z.infer<(typeof orderEvents)['order.created']>;

export function react({ order }: Data): readonly Reaction<typeof RESERVE_STOCK>[] {
  const pieces = order.lines.map(({ sku, quantity }) => ({ sku, quantity }));
  const data = { inventoryId: order.orderId, pieces };
  return [{ do: 'send', command: { type: RESERVE_STOCK, subject: order.orderId, data } }];
}
