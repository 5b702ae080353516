/** Pure: inventory.reserved → the row of stock_levels. */
import type * as z from 'zod/mini';
import type { inventoryEvents } from '../events.ts';

type Data = z.infer<(typeof inventoryEvents)['inventory.reserved']>;

export const rowOf = ({ inventory }: Data) => ({
  inventory_id: inventory.inventoryId,
  version: inventory.version,
  pieces: inventory.reserved.reduce((sum, { quantity }) => sum + quantity, 0),
});
