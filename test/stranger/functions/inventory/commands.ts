/** Commands of inventory as they travel on stream COMMANDS: schemas, shared by senders and handlers. */
import * as z from 'zod/mini';

/** Who gives a command. Whoever may publish to COMMANDS directly speaks for the system itself. */
const actor = z.strictObject({ userId: z.string(), role: z.string() });

const addressed = {
  /** In one spelling: it is compared, and a part of subjects. */
  inventoryId: z.uuid().check(z.toLowerCase()),
  actor: z._default(actor, { userId: 'system', role: 'system' }),
};

export const RESERVE_STOCK = 'command.inventory.reserve_stock';
export const reserveStock = z.strictObject({
  ...addressed,
  pieces: z.array(z.strictObject({ sku: z.string(), quantity: z.int().check(z.positive()) })),
});
