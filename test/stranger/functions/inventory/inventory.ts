/** The inventory: its events, its state, and what is published of it. Pure. */
import type { Aggregate } from '../runtime/aggregate.ts';
import type { PublicInventory } from './events.ts';

export type Pieces = { sku: string; quantity: number };
type Reserved = { inventoryId: string; reserved: Pieces[]; reservedAt: string };
export type InventoryEvent = { readonly type: 'inventory.reserved'; readonly data: Reserved };

export type Inventory = { readonly status: 'none' } | ({ readonly status: 'reserved' } & Reserved);

function publish(inventory: Inventory, version: number): PublicInventory {
  if (inventory.status === 'none') throw new Error('without an event there is nothing to publish');
  const { inventoryId, reserved, reservedAt } = inventory;
  return { inventoryId, version, reserved, reservedAt };
}

export const inventory: Aggregate<Inventory, InventoryEvent> = {
  name: 'inventory',
  initial: { status: 'none' },
  schemaVersion: 1,
  snapshotEvery: 100,
  upcasters: { 'inventory.reserved': [] },
  evolve: (_inventory, { data }) => ({ status: 'reserved', ...data }),
  publish,
};
