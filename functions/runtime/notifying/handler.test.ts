import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { openLog } from '../runtime/log.ts';
import { continueTrace } from '../runtime/trace.ts';
import type { Claims, End } from './claims.ts';
import { noticeHandler } from './notices.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const template = { name: 'hello', write: () => ({ subject: '', heading: '', blocks: [] }) };

/** A handler whose delivery ends after so many ms, and what it did with its claim. */
function handling(deliveryMs: number, outcome: End | Error) {
  const done: string[] = [];
  const claims: Claims = {
    claim: async () => ({ state: null, unsubscribeToken: null }),
    claimAgain: async () => undefined,
    remember: async () => undefined,
    end: async (_, { status }) => void done.push(status),
    release: async (_, next) => void done.push(next),
  };
  const deliver = async (): Promise<End> => {
    await new Promise((resolve) => setTimeout(resolve, deliveryMs));
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const spec = {
    told: new Map([['user.created', { schema: z.object({}), template }]]),
    about: () => ({ recipient: 'ada' }),
  };
  const shell = { name: 'test', settings: {} as never, log: openLog('test', 'silent'), onClose: () => undefined };
  const handle = noticeHandler(spec, shell, { bus: {} as never, claims, deliver });
  const incoming = {
    id: '1',
    type: 'user.created',
    source: '/test',
    time: '',
    trace: continueTrace(),
    correlationId: undefined,
    data: {},
    attempt: 1,
    awaited: false,
    answer: () => undefined,
  };
  return { done, handled: handle([incoming]).catch((error: Error) => error.message) };
}

test('a delivery that ends after it was given up is noted still, so that the next attempt sends nothing', async () => {
  const { done, handled } = handling(28_000, { status: 'sent' });
  await vi.advanceTimersByTimeAsync(25_000);
  expect(await handled).toContain('over 25000 ms');
  expect(done).toEqual([]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(done).toEqual(['sent']);
});

test('a delivery that fails leaves its claim to the next attempt at once', async () => {
  const { done, handled } = handling(1_000, new Error('broken'));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await handled).toBe('broken');
  expect(done).toEqual(['attempt']);
});
