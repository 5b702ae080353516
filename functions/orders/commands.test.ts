import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { cancelOrder, createOrder, deliverOrder, expireOrder, payOrder, refundOrder, shipOrder } from './commands.ts';

const [orderId, customerId] = [randomUUID(), randomUUID()];
const creation = { customerId, lines: [{ sku: 'tea', quantity: 1 }] };

test.each([
  ['create', createOrder, creation],
  ['pay', payOrder, { token: 'tok_ok' }],
  ['ship', shipOrder, { carrier: 'Post', trackingNumber: '1' }],
  ['deliver', deliverOrder, { shipmentId: randomUUID() }],
  ['cancel', cancelOrder, {}],
  ['expire', expireOrder, {}],
  ['refund', refundOrder, {}],
])('a command to %s knows its order in whatever case the id is written', (_, schema, fields) => {
  expect(schema.parse({ ...fields, orderId: orderId.toUpperCase() })).toMatchObject({ orderId });
});

test('an order is of the customer in whatever case the id is written', () => {
  expect(createOrder.parse({ ...creation, customerId: customerId.toUpperCase() })).toMatchObject({ customerId });
});
