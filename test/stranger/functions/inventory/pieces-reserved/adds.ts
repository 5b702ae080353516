/** Pure: inventory.reserved → what it adds to pieces_reserved. */
import type * as z from 'zod/mini';
import type { inventoryEvents } from '../events.ts';

type Data = z.infer<(typeof inventoryEvents)['inventory.reserved']>;

export const adds = ({ inventory }: Data) => inventory.reserved.map(({ sku, quantity }) => ({ sku, pieces: quantity }));
