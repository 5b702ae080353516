/** PayOrder → order.paid or order.payment_failed; the provider is asked once an attempt. */
import { command } from '../../runtime/command.ts';
import { PAY_ORDER, payOrder } from '../commands.ts';
import { openLocalProvider } from '../local-provider.ts';
import { orders } from '../order.ts';
import { openPayments, settlePayment } from '../payments.ts';
import { protectProvider } from '../provider.ts';
import { type Charge, decide, payableOrder } from './decide.ts';

export default command({
  type: PAY_ORDER,
  accepts: payOrder,
  publishes: ['order.paid', 'order.payment_failed'],
  aggregate: orders,
  target: ({ orderId }) => orderId,
  actor: ({ actor }) => actor.userId,
  performs(shell, database) {
    const provider = protectProvider(openLocalProvider(database), shell);
    const begin = openPayments(database);
    return async (request, order, { id: orderId, version, commandId: paymentId, fingerprint }): Promise<Charge> => {
      const payment = { paymentId, orderId, version, fingerprint, kind: 'charge' as const };
      const { amountMinor, currency } = await begin(payment, () => {
        const { totalMinor, currency } = payableOrder(request, order, version);
        return { amountMinor: totalMinor, currency };
      });
      const result = await provider.charge({ key: paymentId, orderId, amountMinor, currency, token: request.token });
      return { amountMinor, ...result };
    };
  },
  decide,
  writes: (events, _order, paymentId) => [settlePayment(events, paymentId)],
});
