import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../functions/runtime/errors.ts';
import { consume } from '../../functions/runtime/handling/consume.ts';
import { natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import { type Incoming, REPLAY_HEADER } from '../../functions/runtime/messages/message.ts';
import { scheduleTask, sendTask } from '../../functions/runtime/task.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { type DeadLetter, readDeadLetters } from '../../scripts/operate/dead-letters/dead-letters.ts';
import { redrive } from '../../scripts/operate/dead-letters/redrive.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

let backends: Backends;
const closers: (() => Promise<void> | void)[] = [];
let seen: Incoming[];
let fail: (incoming: Incoming) => void;

beforeAll(async () => {
  backends = await startBackends();
  const { shell, close } = testShell(natsSettings, { NATS_URL: backends.natsUrl });
  closers.push(close);
  const options = {
    stream: 'ORDERS',
    consumer: 'order-emails',
    types: ['order.created'],
    tasks: ['mail.remind'],
    inFlight: 8,
    batch: 1,
    concurrency: 8,
  };
  const running = consume({ ...shell, name: 'order-emails' }, await openBus(shell), options, async ([incoming]) => {
    if (!incoming) return;
    seen.push(incoming);
    fail(incoming);
  });
  closers.push(() => running.drain());
});

beforeEach(() => {
  seen = [];
  fail = () => undefined;
});

afterAll(async () => {
  for (const close of closers.reverse()) await close();
  await backends?.stop();
});

const taskFor = (data: object) => ({ id: randomUUID(), type: 'mail.remind', data, trace: continueTrace() });
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
const quiet = () =>
  until('nothing to be left', async () => (await backends.undone('ORDERS', 'order-emails')) === 0 && seen.length > 0);

test('a function gets a task as what it is, in the trace of its sender, and one of the same id once', async () => {
  const task = { ...taskFor({ key: 'a' }), subject: 'order-1' };
  await sendTask(backends.bus, 'order-emails', task);
  await sendTask(backends.bus, 'order-emails', task);
  await quiet();
  expect(seen).toMatchObject([{ id: task.id, type: 'mail.remind', data: { key: 'a' }, attempt: 1, replayed: false }]);
  expect(seen[0]?.trace.traceId).toBe(task.trace.traceId);
});

test('a scheduled task waits for its time, and the same place again replaces it', async () => {
  const [first, second] = [taskFor({ key: 'first' }), taskFor({ key: 'second' })];
  const place = randomUUID();
  await scheduleTask(backends.bus, 'order-emails', place, first, inMs(60_000));
  const at = inMs(600);
  await scheduleTask(backends.bus, 'order-emails', place, second, at);
  expect(seen).toEqual([]);
  await quiet();
  expect(seen.map(({ id }) => id)).toEqual([second.id]);
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(at));
});

test('a task that fails is parked, and comes again as the same task', async () => {
  fail = ({ attempt }) => {
    if (attempt === 1) throw new AppError('unavailable', 'planted', 'later', { retryAfterMs: 3_100 });
  };
  const task = taskFor({ key: 'a' });
  await sendTask(backends.bus, 'order-emails', task);
  await until('the second attempt', () => seen.length === 2);
  await quiet();
  expect(seen).toMatchObject([1, 2].map((attempt) => ({ id: task.id, type: 'mail.remind', attempt })));
});

test('a task that can never work is a dead letter, and is handled when it was redriven', async () => {
  fail = () => {
    throw new AppError('invalid', 'planted', 'bad');
  };
  const task = taskFor({ key: 'a' });
  await sendTask(backends.bus, 'order-emails', task);
  const letters = async () => {
    const found: DeadLetter[] = [];
    for await (const letter of readDeadLetters(backends.bus)) found.push(letter);
    return found;
  };
  await until('the letter', async () => (await letters()).length === 1);
  const [letter] = await letters();
  expect(letter).toMatchObject({ consumer: 'order-emails', type: 'mail.remind', attempts: 1 });
  fail = () => undefined;
  await redrive(backends.bus, letter ? [letter] : [], 100, async () => undefined);
  await until('it to be handled', () => seen.length === 2);
  expect(seen[1]).toMatchObject({ id: task.id, type: 'mail.remind', data: { key: 'a' } });
  await quiet();
  expect(await letters()).toEqual([]);
});

test('what is sent without an origin is no event, whatever it says', async () => {
  const headers = { 'ce-type': 'order.created', 'ce-id': randomUUID() };
  await backends.bus.publish('retry.order-emails', '{}', headers, randomUUID());
  const dead = () => backends.messages('DEAD_LETTERS');
  await until('the letter', async () => (await dead()).some((one) => one.headers.includes('invalid-retry')));
  expect(seen).toEqual([]);
});

test('an event that is replayed is still known as such when it was parked', async () => {
  fail = ({ attempt }) => {
    if (attempt === 1) throw new AppError('unavailable', 'planted', 'later', { retryAfterMs: 3_100 });
  };
  await backends.bus.publish(`order.${randomUUID()}.created`, '{}', { [REPLAY_HEADER]: 'true' }, randomUUID());
  await until('the second attempt', () => seen.length === 2);
  await quiet();
  expect(seen.map(({ replayed }) => replayed)).toEqual([true, true]);
});
