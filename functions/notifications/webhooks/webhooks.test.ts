import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { retryAfterMs } from '../../runtime/outbound.ts';
import { openBulkhead } from './bulkhead.ts';
import { outcomeOf } from './outcome.ts';
import { signedHeaders } from './signature.ts';

const secretOf = (byte: number): string => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const BODY = '{"type":"order.created","data":{"name":"Tea, “green” ☕"}}';

test('who has any one of the secrets verifies a delivery, and nobody else does', () => {
  const headers = signedHeaders('id-1', Date.now(), BODY, [secretOf(2), secretOf(1)]);
  for (const secret of [secretOf(1), secretOf(2)])
    expect(new Webhook(secret).verify(BODY, headers)).toEqual(JSON.parse(BODY));
  expect(() => new Webhook(secretOf(3)).verify(BODY, headers)).toThrow('No matching signature');
  expect(() => new Webhook(secretOf(1)).verify(BODY.replace('green', 'black'), headers)).toThrow('No matching');
  expect(() => new Webhook(secretOf(1)).verify(BODY, { ...headers, 'webhook-id': 'id-2' })).toThrow('No matching');
});

test('a delivery that is an hour old is refused by its receiver', () => {
  const headers = signedHeaders('id-1', Date.now() - 3_600_000, BODY, [secretOf(1)]);
  expect(() => new Webhook(secretOf(1)).verify(BODY, headers)).toThrow('too old');
});

const NOW = Date.parse('2026-11-21T12:00:00Z');
const WAITS = [5, 30, 120];
const outcome = (status: number | undefined, step: number, retryAfter?: string, random = 0) =>
  outcomeOf({ status, reason: '', retryAfter }, step, WAITS, NOW, random);

test.each([
  [200, { end: 'delivered' }],
  [204, { end: 'delivered' }],
  [410, { end: 'gone' }],
  [301, { againMs: 5_000 }],
  [400, { againMs: 5_000 }],
  [500, { againMs: 5_000 }],
  [undefined, { againMs: 5_000 }],
])('%s at the first attempt leads to %j', (status, expected) => expect(outcome(status, 1)).toEqual(expected));

test('each attempt waits longer than the one before, spread by a tenth, and the last one is the end', () => {
  expect([1, 2, 3, 4].map((step) => outcome(500, step))).toEqual([
    { againMs: 5_000 },
    { againMs: 30_000 },
    { againMs: 120_000 },
    { end: 'failed' },
  ]);
  expect(outcome(500, 3, undefined, 1)).toEqual({ againMs: 132_000 });
  expect(outcome(200, 4)).toEqual({ end: 'delivered' });
});

test('Retry-After of a 429 or 503 is waited for, in seconds or as a date, half a day at most; of others it is not', () => {
  expect(outcome(503, 1, '60')).toEqual({ againMs: 60_000 });
  expect(outcome(429, 1, 'Sat, 21 Nov 2026 12:10:00 GMT')).toEqual({ againMs: 600_000 });
  expect(outcome(503, 1, '1')).toEqual({ againMs: 5_000 });
  expect(outcome(503, 1, '9999999')).toEqual({ againMs: 12 * 3_600_000 });
  expect(outcome(503, 1, '9'.repeat(400))).toEqual({ againMs: 12 * 3_600_000 });
  expect(outcome(503, 1, 'Sat, 21 Nov 2020 12:10:00 GMT')).toEqual({ againMs: 5_000 });
  expect(outcome(500, 1, '60')).toEqual({ againMs: 5_000 });
  expect(outcome(503, 4, '60')).toEqual({ end: 'failed' });
  for (const nonsense of ['', 'soon', '-1', '1.5', '2026-11-21']) expect(retryAfterMs(nonsense, NOW)).toBeUndefined();
});

test('one endpoint has four attempts in work; the next ones come later, each after the other, and other endpoints at once', async () => {
  let now = 0;
  const { run } = openBulkhead(() => now);
  const releases: (() => void)[] = [];
  const slow = () => new Promise<void>((resolve) => releases.push(resolve));
  const busy = [1, 2, 3, 4].map(() => run('slow', slow));
  const waits = await Promise.all([1, 2, 3].map(() => run('slow', slow)));
  expect(waits).toEqual([1_050, 1_100, 1_150].map((againMs) => ({ full: true, againMs })));
  expect(await run('other', async () => 'done')).toEqual({ done: 'done' });
  now = 8_000;
  for (const release of releases) release();
  await Promise.all(busy);
  const again = [1, 2, 3, 4].map(() => run('slow', slow));
  expect(await run('slow', slow)).toEqual({ full: true, againMs: 3_000 });
  for (const release of releases) release();
  await Promise.all(again);
});
