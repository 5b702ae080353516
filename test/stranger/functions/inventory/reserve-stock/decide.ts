/** Pure: the inventory as it is → the events that reserve-stock leads to. */
import type * as z from 'zod/mini';
import type { Decision } from '../../runtime/command.ts';
import { refused } from '../../runtime/errors.ts';
import type { reserveStock } from '../commands.ts';
import type { Inventory, InventoryEvent } from '../inventory.ts';

export function decide(
  { inventoryId, pieces }: z.infer<typeof reserveStock>,
  inventory: Inventory,
  { now }: Pick<Decision, 'now'>,
): InventoryEvent[] {
  if (inventory.status !== 'none') throw refused('already-reserved', `Stock of ${inventoryId} is reserved already`);
  return [{ type: 'inventory.reserved', data: { inventoryId, reserved: pieces, reservedAt: now } }];
}
