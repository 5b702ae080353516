import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { orderEvents } from '../../orders/events.ts';
import { httpStatus } from '../../runtime/http/problem.ts';
import { commandOf } from './command.ts';
import { readPushed } from './read.ts';

const subject = randomUUID();
const staff = { userId: randomUUID(), role: 'staff', scopes: ['events:push'] };
const customer = { ...staff, role: 'customer' };
const parcel = { carrier: 'Post', trackingNumber: 'NL-1' };
const ship = { specversion: '1.0', id: 'a', source: '/erp', type: 'command.order.ship', subject, data: parcel };
const lines = [{ sku: 'mug', quantity: 1 }];
const create = { specversion: '1.0', id: 'a', source: '/erp', type: 'command.order.create', data: { lines } };

const read = (event: unknown, sender = staff) =>
  readPushed({ headers: { 'content-type': 'application/cloudevents+json' }, body: event }, sender);
const readBatch = (events: unknown, sender = staff) =>
  readPushed(
    { headers: { 'content-type': 'application/cloudevents-batch+json' }, body: Buffer.from(JSON.stringify(events)) },
    sender,
  );
/** Status, slug and fields by which it is refused. */
const refusal = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    const { slug, fields } = error as Parameters<typeof httpStatus>[0];
    return [httpStatus(error as Parameters<typeof httpStatus>[0]), slug, fields.map(({ field }) => field).join()];
  }
  return 'accepted';
};

describe('an event', () => {
  test.each([
    ['command.order.ship', parcel],
    ['command.order.deliver', { shipmentId: randomUUID() }],
    ['command.order.cancel', {}],
    ['command.order.refund', { amountMinor: 5 }],
  ])('of type %s is accepted from staff, and its data checked', (type, data) => {
    expect(read({ ...ship, type, data })).toMatchObject([{ type, subject, data }]);
    expect(refusal(() => read({ ...ship, type, data: { ...data, more: 1 } }))).toEqual([
      400,
      'invalid-cloud-event',
      'data.more',
    ]);
  });

  test.each([
    [{ data: { carrier: 'Post' } }, 'data.trackingNumber'],
    [{ data: undefined }, 'data'],
    [{ data: [] }, 'data'],
    [{ data: { ...parcel, orderId: subject } }, 'data.orderId'],
    [{ data: { ...parcel, actor: { userId: 'system', role: 'system' } } }, 'data.actor'],
    [{ subject: undefined }, 'subject'],
    [{ subject: '7' }, 'subject'],
    [{ subject: 'x.>' }, 'subject'],
    [{ id: undefined }, 'id'],
    [{ specversion: '0.3' }, 'specversion'],
    [{ type: undefined }, 'type'],
    [{ type: 'command.order.pay' }, 'type'],
    [{ type: 'command.order.expire' }, 'type'],
    [{ type: 'command.order.*' }, 'type'],
    [{ type: 'toString' }, 'type'],
  ])('with %j is refused, naming %s, and in a batch its index', (changes, field) => {
    const wrong = { ...ship, ...changes };
    expect(refusal(() => read(wrong))).toEqual([400, 'invalid-cloud-event', field]);
    const fine = { ...ship, id: 'fine' };
    expect(refusal(() => readBatch([fine, wrong]))).toEqual([400, 'invalid-cloud-event', `[1].${field}`]);
  });

  test('names its order in whatever case: it is the same order', () => {
    expect(read({ ...ship, subject: subject.toUpperCase() })).toMatchObject([{ subject }]);
  });

  test.each([7, null, 'event', []])('that is %j is refused', (event) => {
    expect(refusal(() => readBatch([event]))).toEqual([400, 'invalid-cloud-event', '[0]']);
  });

  test.each(Object.keys(orderEvents))('that says %s is refused: what has happened only the shop knows', (type) => {
    expect(refusal(() => read({ ...ship, type }))).toEqual([400, 'invalid-cloud-event', 'type']);
  });

  test("that is staff's by HTTP is not a customer's when pushed, whatever the scopes", () => {
    expect(refusal(() => read(ship, customer))).toEqual([403, 'wrong-role', 'type']);
    expect(refusal(() => readBatch([create, { ...ship, id: 'b' }], customer))).toEqual([403, 'wrong-role', '[1].type']);
    expect(read(create, customer)).toHaveLength(1);
    expect(read({ ...ship, type: 'command.order.cancel', data: {} }, customer)).toHaveLength(1);
  });
});

describe('a batch', () => {
  test('has its events in order, and may be empty', () => {
    expect(readBatch([create, { ...ship, id: 'b' }]).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(readBatch([])).toEqual([]);
  });

  test('with one id twice from one source is refused; the same id from two sources is two events', () => {
    expect(refusal(() => readBatch([ship, { ...ship, id: 'b' }, create]))).toEqual([
      400,
      'invalid-cloud-event',
      '[2].id',
    ]);
    expect(readBatch([ship, { ...create, source: '/shop' }])).toHaveLength(2);
  });
});

describe('a command', () => {
  const commandFrom = (event: unknown, sender = staff) => {
    const [pushed] = read(event, sender);
    if (!pushed) throw new Error('nothing was read');
    return commandOf(pushed, sender);
  };

  test('is in the name of the sender, on the order that the subject names', () => {
    const { userId, role } = staff;
    expect(commandFrom(ship)).toMatchObject({ orderId: subject, data: { ...parcel, orderId: subject } });
    expect(commandFrom(ship).data).toMatchObject({ actor: { userId, role } });
  });

  test('to create an order is for the sender, whatever the subject', () => {
    const command = commandFrom({ ...create, subject: 'x' });
    expect(command.data).toEqual({ lines, orderId: command.orderId, customerId: staff.userId });
  });

  test('is the same whenever its sender pushes the same type, source and id, whatever else is sent', () => {
    const { id } = commandFrom(ship);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8/);
    expect(commandFrom({ ...ship, data: { ...parcel, carrier: 'Other' } }).id).toBe(id);
    expect(commandFrom({ ...ship, subject: randomUUID() }).id).toBe(id);
    expect(commandFrom(create).orderId).toBe(commandFrom({ ...create, subject: 'x' }).orderId);
  });

  test('of another type is another one: a refund that waits for the provider keeps its id', () => {
    const refund = { ...ship, type: 'command.order.refund', data: {} };
    expect(commandFrom(refund).id).not.toBe(commandFrom(ship).id);
    expect(commandFrom(create).id).not.toBe(commandFrom(ship).id);
  });

  test.each([{ id: 'b' }, { source: '/shop' }])('with %j is another one', (changes) => {
    expect(commandFrom({ ...ship, ...changes }).id).not.toBe(commandFrom(ship).id);
    expect(commandFrom({ ...create, ...changes }).orderId).not.toBe(commandFrom(create).orderId);
  });

  test('of somebody else is another one', () => {
    const other = { ...staff, userId: randomUUID() };
    expect(commandFrom(ship, other).id).not.toBe(commandFrom(ship).id);
    expect(commandFrom(create, other).orderId).not.toBe(commandFrom(create).orderId);
  });
});
