import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { type AppError, invalid, unavailable } from '../errors.ts';
import { openLog } from '../log.ts';
import type { Incoming } from '../messages/message.ts';
import { continueTrace } from '../trace.ts';
import { type Claims, type End, recipientId } from './claims.ts';
import { notificationHandler } from './handler.ts';
import type { AnyEvent, Delivery, Notification, Opened } from './notification.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const incoming: Incoming = {
  id: '1',
  type: 'parcel.lost',
  source: '/test',
  time: '',
  trace: continueTrace(),
  correlationId: undefined,
  data: {},
  attempt: 1,
  awaited: false,
  answer: () => undefined,
};

type Open = Partial<Opened<AnyEvent, unknown>>;
type Sent = { readonly subject: string; readonly data: unknown };

/** A handler that tells these of each event, with its deliveries, what became of claims, and the tasks that it set. */
function opened(told: readonly Notification[], open: Open = {}, row?: { template: string; recipient: string }) {
  const done: string[] = [];
  const delivered: Delivery<AnyEvent, unknown>[] = [];
  const tasks: Sent[] = [];
  const claims: Claims = {
    claim: async () => ({}),
    claimAgain: async (id) => row && { ...row, eventId: id, type: 'parcel.lost', data: {}, kept: { token: 't' } },
    end: async ({ recipient }, { status }) => void done.push(`${recipient} ${status}`),
    release: async ({ recipient }, next) => void done.push(`${recipient} ${next}`),
  };
  const bus = { publish: async (subject: string, data: string) => tasks.push({ subject, data: JSON.parse(data) }) };
  const spec = {
    accepts: { 'parcel.lost': z.object({}) },
    channel: 'sms',
    notifications: () => told,
    keeps: () => ({}),
  };
  const shell = { name: 'test', settings: {} as never, log: openLog('test', 'silent'), onClose: () => undefined };
  const deliver = async (delivery: Delivery<AnyEvent, unknown>): Promise<End> => {
    delivered.push(delivery);
    return (await open.deliver?.(delivery)) ?? { status: 'sent' };
  };
  const parts = {
    bus: bus as never,
    claims,
    opened: { ...open, deliver },
    guarded: (work: () => Promise<End>) => work(),
  };
  const handle = notificationHandler(spec, shell, parts);
  const handled = (more: Partial<Incoming> = {}) =>
    handle([{ ...incoming, ...more }]).then(
      () => 'done',
      (error: AppError) => error.message,
    );
  return { done, delivered, tasks, handled };
}

/** A delivery that ends after so many ms. */
const after = (deliveryMs: number, outcome: End | Error) => async (): Promise<End> => {
  await new Promise((resolve) => setTimeout(resolve, deliveryMs));
  if (outcome instanceof Error) throw outcome;
  return outcome;
};
const ada = { template: 'lost', recipient: 'ada' };
const bob = { template: 'lost', recipient: 'bob' };

test('a delivery that ends after it was given up is noted still, so that the next attempt sends nothing', async () => {
  const { done, handled } = opened([ada], { deliver: after(28_000, { status: 'sent' }) });
  const ended = handled();
  await vi.advanceTimersByTimeAsync(25_000);
  expect(await ended).toContain('over 25000 ms');
  expect(done).toEqual([]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(done).toEqual(['ada sent']);
});

test('a delivery that fails leaves its claim to the next attempt at once', async () => {
  const { done, handled } = opened([ada], { deliver: after(1_000, new Error('broken')) });
  const ended = handled();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await ended).toBe('broken');
  expect(done).toEqual(['ada attempt']);
});

test('one recipient who cannot be told keeps nobody else from it, and is given up only when nobody waits for another attempt', async () => {
  const deliver = async ({ recipient, attempt }: Delivery<AnyEvent, unknown>): Promise<End> => {
    if (recipient === 'ada') throw invalid('no-number', 'Ada has no number');
    if (attempt === 1) throw unavailable('sms-unavailable', 'No answer');
    return { status: 'sent' };
  };
  const { done, handled } = opened([ada, bob], { deliver });
  expect(await handled()).toBe('No answer');
  expect(await handled({ attempt: 2 })).toBe('Ada has no number');
  expect(done.slice(0, 2)).toEqual(['ada given-up', 'bob attempt']);
  expect(done.slice(2).sort()).toEqual(['ada given-up', 'bob sent']);
});

test('a delivery knows what was remembered before it, and has a key of its own that is the same at each attempt', async () => {
  const { delivered, handled } = opened([ada, bob], { remember: async ({ id }) => `seen ${id}` });
  await handled();
  await handled({ attempt: 2 });
  expect(delivered.map(({ known }) => known)).toEqual(Array(4).fill('seen 1'));
  const keys = delivered.map(({ key }) => key);
  expect(new Set(keys).size).toBe(2);
  expect(keys.slice(2)).toEqual(keys.slice(0, 2));
});

test('an event of which nobody is told is remembered, and one that is replayed is not', async () => {
  const seen: string[] = [];
  const { delivered, handled } = opened([], { remember: async ({ id }) => seen.push(id) });
  await handled({ id: '1' });
  await handled({ id: '2', replayed: true });
  expect(seen).toEqual(['1']);
  expect(delivered).toEqual([]);
});

test('what is for later is a task, which is delivered when it comes, also one of the version before', async () => {
  const at = '2026-12-24T18:00:00.000Z';
  const { delivered, tasks, handled } = opened([{ ...ada, at }]);
  await handled();
  expect(delivered).toEqual([]);
  const later = { eventId: '1', type: 'parcel.lost', template: 'lost', recipient: 'ada', data: {} };
  expect(tasks).toMatchObject([{ subject: expect.stringMatching(/^waiting\.test\./), data: later }]);
  await handled({ id: 't1', type: 'notification.later', data: later });
  const { recipient: _, ...before } = later;
  await handled({ id: 't2', type: 'notice.later', data: before });
  const wanted = { template: 'lost', recipient: 'ada', event: { id: '1', type: 'parcel.lost' }, again: false };
  expect(delivered).toMatchObject([wanted, wanted]);
});

test.each(['notification.again', 'notice.again'])('%s delivers to whom it was delivered before', async (type) => {
  const id = '01980000-0000-7000-8000-000000000001';
  const { delivered, done, handled } = opened([bob, ada], {}, { template: 'lost', recipient: recipientId('ada') });
  await handled({ type, data: { notificationId: id } });
  const wanted = { recipient: 'ada', event: { id }, key: id, again: true, known: undefined, kept: { token: 't' } };
  expect(delivered).toMatchObject([wanted]);
  expect(done).toEqual(['ada sent']);
});

test('a delivery that is queued is left to its task, and a task of its own goes to whoever opened it', async () => {
  const seen: unknown[] = [];
  const own = { 'parcel.attempt': async ({ data }: Incoming) => void seen.push(data) };
  const { done, handled } = opened([ada], { deliver: async () => ({ status: 'queued' }), tasks: own });
  expect(await handled()).toBe('done');
  expect(done).toEqual([]);
  await handled({ type: 'parcel.attempt', data: 7 });
  expect(seen).toEqual([7]);
  expect(await handled({ type: 'parcel.found' })).toContain("no use for 'parcel.found'");
});
