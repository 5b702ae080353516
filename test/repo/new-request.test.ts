import { expect, test } from 'vitest';
import { UsageError } from '../../scripts/cli/cli.ts';
import { readKnown } from '../../scripts/new/known.ts';
import { projectorSources } from '../../scripts/new/projector.ts';
import { type NewFunction, readRequest } from '../../scripts/new/request.ts';

const known = { ...(await readKnown()), functions: ['parcel-view'] };
const read = (...args: string[]) => readRequest(args, known);

test('a function takes the first event of its own context unless it is told what else', () => {
  expect(read('projector', 'orders', 'order-index')).toMatchObject({ events: ['order.created'] });
  expect(read('policy', 'users', 'greeting')).toMatchObject({ events: ['user.created'] });
  const on = ['--on', 'order.paid,order.refunded,order.paid'];
  expect(read('projector', 'orders', 'order-index', ...on)).toMatchObject({ events: ['order.paid', 'order.refunded'] });
});

test('an aggregate is called like its context, without the s at its end, unless it is told how', () => {
  expect(read('context', 'parcels')).toEqual({ kind: 'context', name: 'parcels', aggregate: 'parcel' });
  expect(read('context', 'inventory')).toMatchObject({ aggregate: 'inventory' });
  expect(read('context', 'inventory', '--aggregate', 'stock')).toMatchObject({ aggregate: 'stock' });
});

test.each([
  [[], 'which kind? It is one of context, command'],
  [['saga', 'orders', 'order-saga'], "there is no kind 'saga'"],
  [['projector'], 'which context? It is one of api'],
  [['projector', 'runtime', 'order-index'], "there is no context 'runtime'"],
  [['projector', 'orders'], 'the name of the function is missing'],
  [['projector', 'orders', 'one', 'two'], 'one function at a time, not also two'],
  [['projector', 'orders', 'Order_Index'], "'Order_Index' cannot be a name: write 2 to 63 lower case letters"],
  [['projector', 'orders', 'order-'], "'order-' cannot be a name"],
  [['projector', 'orders', 'a'.repeat(64)], 'cannot be a name'],
  [['projector', 'orders', 'parcel-view'], 'there is a function parcel-view already'],
  [['policy', 'orders', 'order-view-retries'], 'choose one that does not end in -retries'],
  [['projector', 'orders', 'order-index', '--on', 'order.lost'], "there is no event 'order.lost'"],
  [['policy', 'orders', 'both', '--on', 'order.paid,user.created'], 'are in two streams'],
  [['policy', 'platform', 'watcher'], 'platform publishes none: say --on with some of order.created'],
  [['command', 'orders', 'hold-order', '--on', 'order.paid'], 'takes no events: leave out --on'],
  [['command', 'users', 'ban-user'], 'users has no aggregate that a command could change'],
  [['projector', 'orders', 'order-index', '--aggregate', 'order'], 'only a context has --aggregate'],
  [['projector', 'orders', 'order-index', '--fast'], "Unknown option '--fast'"],
  [['context'], 'the name of the context is missing'],
  [['context', 'runtime'], "'runtime' means something else already"],
  [['context', 'orders'], 'there is a context orders already'],
  [['context', 'parcels', 'letters'], 'one context at a time, not also letters'],
  [['context', 'accounts', '--aggregate', 'user'], 'events of users begin with user. already'],
  [['context', 'gift-cards'], "'gift-card' cannot be the name of an aggregate"],
  [['context', 'parcels', '--on', 'order.paid'], 'a context takes no events'],
])('%j is refused, and told what to do', (args, says) => {
  expect(() => read(...args)).toThrow(UsageError);
  expect(() => read(...args)).toThrow(says);
});

test('a projector of events that carry no version is refused', () => {
  const request = read('projector', 'orders', 'user-index', '--on', 'user.created') as NewFunction;
  expect(() => projectorSources(request)).toThrow('user.created has no `user` with an id and a version');
});
