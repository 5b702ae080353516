/** inventory.reserved → table pieces_reserved: the pieces of each product that were ever reserved. */
import { totals } from '../../runtime/totals.ts';
import { INVENTORY, inventoryEvents } from '../events.ts';
import { adds } from './adds.ts';

export default totals({
  stream: INVENTORY,
  accepts: { 'inventory.reserved': inventoryEvents['inventory.reserved'] },
  table: 'pieces_reserved',
  key: ['sku'],
  amounts: ['pieces'],
  adds: ({ data }) => adds(data),
});
