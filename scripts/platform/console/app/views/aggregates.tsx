/** The newest orders of everybody. */
import type { OrderLine } from '../../wire.ts';
import { useAsked } from '../ask.ts';
import { Badge, Empty, Heading, Problem, Time, Waiting } from '../parts.tsx';
import { linkTo } from '../route.ts';
import { money, shortId, time } from '../words.ts';

const EVERY_MS = 2_000;

const Row = ({ order }: { order: OrderLine }) => (
  <tr>
    <th scope="row">
      <a href={linkTo('orders', order.orderId)} title={order.orderId}>
        <span class="unseen">Order </span>
        {shortId(order.orderId)}
      </a>
    </th>
    <td>
      <Time at={order.createdAt}>{time(order.createdAt)}</Time>
    </td>
    <td class="wide">{order.lines.map(({ name, quantity }) => `${quantity} × ${name}`).join(', ')}</td>
    <td class="number">{money(order.totalMinor, order.currency)}</td>
    <td>
      <Badge state={order.status} />
    </td>
    <td class="wide">
      <Badge state={order.paymentStatus} /> <Badge state={order.fulfilmentStatus} />
    </td>
  </tr>
);

export function Orders() {
  const { body, failed } = useAsked<{ orders: readonly OrderLine[]; more: boolean }>('orders', EVERY_MS);
  return (
    <>
      <Heading about="The newest first, as the read model has them.">Orders</Heading>
      {failed ? <Problem failed={failed} /> : null}
      {!body && !failed ? <Waiting /> : null}
      {body?.orders.length === 0 ? (
        <Empty>
          There are no orders yet. The calls that <code>npm start</code> prints make the first one.
        </Empty>
      ) : null}
      {body && body.orders.length > 0 ? (
        <div class="scroll">
          <table>
            <caption class="unseen">The newest orders</caption>
            <thead>
              <tr>
                <th scope="col">Order</th>
                <th scope="col">Created</th>
                <th scope="col" class="wide">
                  What
                </th>
                <th scope="col" class="number">
                  Total
                </th>
                <th scope="col">Status</th>
                <th scope="col" class="wide">
                  Payment, parcels
                </th>
              </tr>
            </thead>
            <tbody>
              {body.orders.map((order) => (
                <Row key={order.orderId} order={order} />
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {body?.more ? <p class="quiet">Only the newest {body.orders.length} are shown.</p> : null}
    </>
  );
}
