import { expect, test } from 'vitest';
import { checkSchedule } from './schedules.ts';

test.each([
  [undefined, 'parcel.1.sent'],
  [undefined, 'retry.parcel-view'],
  ['waiting.parcel-view.PARCELS-1-17', 'retry.parcel-view'],
  ['parked.command.parcel.expire.1', 'command.parcel.expire'],
  // Set by a version whose timers did not say what they send.
  ['parked.expire.1', 'command.parcel.expire'],
])('a schedule on %s may send to %s', (scheduledOn, subject) => {
  expect(() => checkSchedule({ subject, scheduledOn })).not.toThrow();
});

test.each([
  ['waiting.parcel-view.PARCELS-1-17', 'retry.send-parcel'],
  ['waiting.parcel-view-2.PARCELS-1-17', 'retry.parcel-view'],
  ['parked.command.parcel.expire.1', 'command.parcel.send'],
  ['parked.command.parcel.expire', 'command.parcel.expire'],
  ['parked.expire.1.2', 'command.parcel.expire'],
  ['command.parcel.refund', 'command.parcel.send'],
  ['command.parcel.refund', 'command.parcel.refund'],
])('a schedule on %s may not send to %s', (scheduledOn, subject) => {
  expect(() => checkSchedule({ subject, scheduledOn })).toThrow(
    expect.objectContaining({ code: 'invalid', slug: 'wrong-schedule' }),
  );
});
