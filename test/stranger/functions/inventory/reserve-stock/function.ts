/** The command command.inventory.reserve_stock → inventory.reserved, once an order. */
import { command } from '../../runtime/command.ts';
import { RESERVE_STOCK, reserveStock } from '../commands.ts';
import { inventory } from '../inventory.ts';
import { decide } from './decide.ts';

export default command({
  type: RESERVE_STOCK,
  accepts: reserveStock,
  publishes: ['inventory.reserved'],
  aggregate: inventory,
  target: ({ inventoryId }) => inventoryId,
  actor: ({ actor }) => actor.userId,
  decide,
});
