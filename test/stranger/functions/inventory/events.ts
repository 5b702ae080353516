/** Published events of inventory: what every subscriber may rely on. Fields may be added, never changed or removed. */
import * as z from 'zod/mini';

const time = z.iso.datetime();
const pieces = z.array(z.object({ sku: z.string(), quantity: z.int().check(z.positive()) }));

/** The inventory as it stands after an event; times are RFC 3339 in UTC. */
const publicInventory = z.object({
  inventoryId: z.uuid(),
  version: z.int().check(z.positive()),
  reserved: pieces,
  reservedAt: time,
});
export type PublicInventory = z.infer<typeof publicInventory>;

/** Stream that carries the events, on subjects `inventory.<inventoryId>.<what happened>`. */
export const INVENTORY = 'INVENTORY';

/** Type of an event → schema of its data: what changed, and the inventory after it. */
export const inventoryEvents = {
  'inventory.reserved': z.object({ inventory: publicInventory }),
} as const;
