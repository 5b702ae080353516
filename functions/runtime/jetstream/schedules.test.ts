import { expect, test } from 'vitest';
import { checkSchedule } from './schedules.ts';

test.each([
  [undefined, 'order.1.created'],
  [undefined, 'retry.order-view'],
  ['waiting.order-view.ORDERS-1-17', 'retry.order-view'],
  ['parked.command.order.expire.1', 'command.order.expire'],
  // Set by a version whose timers did not say what they send.
  ['parked.expire.1', 'command.order.expire'],
])('a schedule on %s may send to %s', (scheduledOn, subject) => {
  expect(() => checkSchedule({ subject, scheduledOn })).not.toThrow();
});

test.each([
  ['waiting.order-view.ORDERS-1-17', 'retry.create-order'],
  ['waiting.order-view-2.ORDERS-1-17', 'retry.order-view'],
  ['parked.command.order.expire.1', 'command.order.create'],
  ['parked.command.order.expire', 'command.order.expire'],
  ['parked.expire.1.2', 'command.order.expire'],
  ['command.order.refund', 'command.order.create'],
  ['command.order.refund', 'command.order.refund'],
])('a schedule on %s may not send to %s', (scheduledOn, subject) => {
  expect(() => checkSchedule({ subject, scheduledOn })).toThrow(
    expect.objectContaining({ code: 'invalid', slug: 'wrong-schedule' }),
  );
});
