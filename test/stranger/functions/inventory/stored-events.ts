/** What is stored of inventory: events, version by version, the first one first, and states. A schema that was ever written stays as it is: change is a new version. */
import * as z from 'zod/mini';
import type { Inventory } from './inventory.ts';

const reserved = {
  inventoryId: z.uuid(),
  reserved: z.array(z.strictObject({ sku: z.string(), quantity: z.int().check(z.positive()) })),
  reservedAt: z.iso.datetime(),
};

export const storedEvents = { 'inventory.reserved': [z.strictObject(reserved)] } as const;

/** The state of a inventory in a snapshot, of the schema version that `inventory` names. */
export const storedInventory: z.ZodMiniType<Inventory> = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('none') }),
  z.strictObject({ status: z.literal('reserved'), ...reserved }),
]);
