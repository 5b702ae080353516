/** inventory.reserved → table stock_levels: one row a inventory, as its newest event shows it. */
import { projector } from '../../runtime/projector.ts';
import { INVENTORY, inventoryEvents } from '../events.ts';
import { rowOf } from './row.ts';

export default projector({
  stream: INVENTORY,
  accepts: { 'inventory.reserved': inventoryEvents['inventory.reserved'] },
  table: 'stock_levels',
  key: ['inventory_id'],
  row: ({ data }) => rowOf(data),
});
