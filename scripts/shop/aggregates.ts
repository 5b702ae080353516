/** The aggregates of this shop, for what shows or explains any of them. */
import { orders } from '../../functions/orders/order.ts';

export const aggregates = [orders] as const;
