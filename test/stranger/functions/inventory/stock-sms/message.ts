/** Pure: inventory.reserved → who is told, and what. */
import type * as z from 'zod/mini';
import type { inventoryEvents } from '../events.ts';

type Data = z.infer<(typeof inventoryEvents)['inventory.reserved']>;

export const notifications = (_event: Data) => [{ template: 'stock-sms', recipient: 'storekeeper' }];

export const textOf = ({ inventory }: Data): string =>
  `Reserved for ${inventory.inventoryId}: ${inventory.reserved.map(({ sku, quantity }) => `${quantity} ${sku}`).join(', ')}`;
