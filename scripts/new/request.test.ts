import { expect, test } from 'vitest';
import { UsageError } from '../operate/cli.ts';
import { readRequest } from './request.ts';

const taken = ['order-view'];

test('a projector takes order.created unless it is told what else; a function of users what users do', () => {
  expect(readRequest(['projector', 'orders', 'order-index'], taken).events).toEqual(['order.created']);
  expect(readRequest(['policy', 'users', 'greeting'], taken).events).toEqual(['user.created']);
  const on = ['--on', 'order.paid,order.refunded,order.paid'];
  expect(readRequest(['projector', 'orders', 'order-index', ...on], taken).events).toEqual([
    'order.paid',
    'order.refunded',
  ]);
});

test.each([
  [['saga', 'orders', 'order-saga'], "there is no kind 'saga'"],
  [['projector'], 'which context? It is one of api'],
  [['projector', 'runtime', 'order-index'], "there is no context 'runtime'"],
  [['projector', 'orders'], 'the name of the function is missing'],
  [['projector', 'orders', 'one', 'two'], 'one function at a time, not also two'],
  [['projector', 'orders', 'Order_Index'], "'Order_Index' cannot be a name: write 2 to 63 lower case letters"],
  [['projector', 'orders', 'order-'], "'order-' cannot be a name"],
  [['projector', 'orders', 'a'.repeat(64)], 'cannot be a name'],
  [['policy', 'orders', 'order-view-retries'], 'choose one that does not end in -retries'],
  [['projector', 'orders', 'order-index', '--on', 'order.lost'], "there is no event 'order.lost'"],
  [['projector', 'orders', 'user-index', '--on', 'user.created'], 'events of users have no version'],
  [['policy', 'orders', 'both', '--on', 'order.paid,user.created'], 'are in two streams'],
  [['command', 'orders', 'hold-order', '--on', 'order.paid'], 'takes no events: leave out --on'],
  [['projector', 'orders', 'order-index', '--fast'], "Unknown option '--fast'"],
])('%j is refused, and told what to do', (args, says) => {
  expect(() => readRequest(args, taken)).toThrow(UsageError);
  expect(() => readRequest(args, taken)).toThrow(says);
});
