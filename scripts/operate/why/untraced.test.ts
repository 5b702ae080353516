import { expect, test } from 'vitest';
import type { History } from './history.ts';
import { textOf } from './text.ts';
import { untracedAccount } from './untraced.ts';

const NOW = Date.parse('2026-11-20T12:10:00.000Z');
const SUBJECT = '0190b6a0-0000-7000-8000-000000000001';
const TRACE = 'a'.repeat(32);
const event = (version: number, type: string, at: string) => ({
  version,
  type,
  at,
  actor: 'ada',
  commandId: `c${version}`,
  command: 'command.parcel.send',
  correlationId: null,
  traceId: TRACE,
});
const HISTORY: History = {
  aggregate: 'parcel',
  subject: SUBJECT,
  events: [
    event(1, 'parcel.sent', '2026-11-20T12:00:00.000Z'),
    event(2, 'parcel.delivered', '2026-11-20T12:05:00.000Z'),
  ],
  unpublished: 1,
};

test('without a trace an account says the version, since what, and each event of the history', () => {
  const account = untracedAccount(HISTORY, { deadLetters: [], parked: [], lag: {} }, NOW);
  expect(account.sentence).toBe(
    `parcel ${SUBJECT} is at version 2 since parcel.delivered, 5 min 0 s ago; no trace of it is kept.`,
  );
  expect(account.standing).toEqual(['Nothing of it waits.']);
  const text = textOf(account, NOW, HISTORY);
  expect(text).toContain('2026-11-20T12:00:00.000Z  1  parcel.sent, by command.parcel.send of ada');
  expect(text).toContain('In the outbox, not published yet: 1');
});

test('dead letters and parked messages of its traces are named, and no others', () => {
  const held = { messageId: 'e2', traceId: TRACE };
  const foreign = { function: 'parcel-view', messageId: 'e9', traceId: 'b'.repeat(32) };
  const present = {
    deadLetters: [
      { ...held, function: 'parcel-emails', id: 7 },
      { ...foreign, id: 8 },
    ],
    parked: [
      { ...held, function: 'parcel-labels', at: NOW + 60_000 },
      { ...foreign, at: NOW },
    ],
    lag: {},
  };
  const { standing, advice } = untracedAccount(HISTORY, present, NOW);
  expect(standing).toEqual([
    'parcel-emails has given up a message of its traces: dead letter 7.',
    'A message of its traces is parked until 2026-11-20T12:11:00.000Z, in 60.0 s, for parcel-labels.',
  ]);
  expect(advice[0]).toBe('npx millrace dead-letters show 7');
});

test('without NATS nothing is said to be done', () => {
  expect(untracedAccount(HISTORY, undefined, NOW).standing).toEqual(['What waits is not known without NATS.']);
});
