/** RefundOrder → order.refunded; the provider gives back once a command. With all of the money, the stock is free again. */
import { command } from '../../runtime/command.ts';
import { REFUND_ORDER, refundOrder } from '../commands.ts';
import { openLocalProvider } from '../local-provider.ts';
import { orders } from '../order.ts';
import { openPayments, settlePayment } from '../payments.ts';
import { protectProvider } from '../provider.ts';
import { moveStock } from '../stock.ts';
import { decide, refundable } from './decide.ts';

export default command({
  type: REFUND_ORDER,
  accepts: refundOrder,
  publishes: ['order.refunded'],
  aggregate: orders,
  target: ({ orderId }) => orderId,
  actor: ({ actor }) => actor.userId,
  performs(shell, database) {
    const provider = protectProvider(openLocalProvider(database), shell);
    const begin = openPayments(database);
    return async (request, order, { id: orderId, version, commandId: paymentId, fingerprint }) => {
      const payment = { paymentId, orderId, version, fingerprint, kind: 'refund' as const };
      const { amountMinor, currency } = await begin(payment, () => refundable(request, order, version));
      await provider.refund({ key: paymentId, orderId, amountMinor, currency });
      return { amountMinor };
    };
  },
  decide,
  writes: (events, order, paymentId) => [settlePayment(events, paymentId), moveStock(events, order)],
});
