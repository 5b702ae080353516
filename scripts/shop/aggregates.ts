/** The aggregates of this shop, for the console to explore. */
import { orders } from '../../functions/orders/order.ts';
import type { NamedAggregate } from '../platform/console/aggregates.ts';

export const aggregates: readonly NamedAggregate[] = [{ name: orders.name, aggregate: orders }];
