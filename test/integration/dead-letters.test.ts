import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../functions/runtime/errors.ts';
import { consume } from '../../functions/runtime/handling/consume.ts';
import { newId } from '../../functions/runtime/ids.ts';
import { natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import { schedule } from '../../functions/runtime/jetstream/schedules.ts';
import { type Incoming, toHeaders } from '../../functions/runtime/messages/message.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let closers: (() => Promise<void> | void)[];
let poisoned: Set<string>;
let later: Set<string>;
let handled: string[];

const keyOf = ({ data }: Incoming): string => (data as { key: string }).key;

beforeEach(async () => {
  closers = [];
  poisoned = new Set();
  later = new Set();
  handled = [];
  backends = await startBackends();
  const { shell, close } = testShell(natsSettings, { NATS_URL: backends.natsUrl });
  closers.push(close);
  const options = {
    stream: 'ORDERS',
    consumer: 'order-view',
    types: ['order.created'],
    inFlight: 8,
    batch: 4,
    concurrency: 4,
  };
  const running = consume({ ...shell, name: 'order-view' }, await openBus(shell), options, async (batch) => {
    for (const incoming of batch)
      if (poisoned.has(keyOf(incoming))) throw new AppError('invalid', 'planted', `${keyOf(incoming)} is bad`);
    if (batch.some((incoming) => later.has(keyOf(incoming))))
      throw new AppError('unavailable', 'planted', 'later', { retryAfterMs: 60_000 });
    handled.push(...batch.map(keyOf));
  });
  closers.push(() => running.drain());
});

afterEach(async () => {
  for (const close of closers.reverse()) await close();
  await backends.stop();
});

/** An event of an order, its payload a key by which it is known here. */
const publish = async (orderId: string, key: string): Promise<void> => {
  const { traceparent } = continueTrace(undefined);
  const about = { id: newId(), type: 'order.created', subject: orderId, time: new Date().toISOString(), traceparent };
  await backends.bus.publish(`order.${orderId}.created`, JSON.stringify({ key }), toHeaders(about), about.id);
};

const letters = () => backends.messages('DEAD_LETTERS');

/** Publishes events that are bad, and waits for their dead letters. */
async function plant(...events: [orderId: string, key: string][]): Promise<void> {
  for (const [orderId, key] of events) {
    poisoned.add(key);
    await publish(orderId, key);
    await until(`${key} to be a dead letter`, async () => (await letters()).some(({ data }) => data.includes(key)));
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape of what it gets.
type Json = any;

const MILLRACE = path.join(repository, 'scripts/millrace.mjs');
const PRELOAD = path.join(repository, 'test/support/kill-at-write.cjs');

/** Redrives all in a process that dies before its n-th write: true when it did, false when it was done before. */
async function redriveDies(atWrite: number): Promise<boolean> {
  const kill = { KILL_AT_WRITE: String(atWrite), KILL_PORTS: new URL(backends.natsUrl).port };
  const env = { ...process.env, ...kill, NATS_URL: backends.natsUrl };
  const program = path.join(repository, 'scripts/millrace.ts');
  const args = ['--require', PRELOAD, program, 'dead-letters', 'redrive', '--all'];
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
  return new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal === 'SIGKILL')));
}

async function deadLetters(...args: string[]): Promise<Json[]> {
  const env = { ...process.env, NATS_URL: backends.natsUrl };
  // Not on this thread: the function under test must go on meanwhile.
  const child = spawn(MILLRACE, ['dead-letters', ...args, '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let wrong = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    wrong += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(wrong);
  return said
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

const order = () => randomUUID();

test('a dead letter tells what it was, why it is here, and where it was; show adds what it says', async () => {
  const orderId = order();
  await plant([orderId, 'a']);
  const [letter] = await deadLetters('list');
  expect(letter).toMatchObject({
    id: 1,
    function: 'order-view',
    error: 'planted',
    message: 'a is bad',
    attempts: 1,
    type: 'order.created',
    subject: orderId,
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    origin: expect.stringMatching(new RegExp(`^ORDERS 1 \\d+ order.${orderId}.created$`)),
  });
  expect(await deadLetters('show', '1')).toMatchObject([{ id: 1, payload: '{"key":"a"}' }]);
  await expect(deadLetters('show', '7')).rejects.toThrow('there is no dead letter 7');
});

test('what is redriven goes to its own function alone, once, and is out of the dead letters', async () => {
  await plant([order(), 'a'], [order(), 'b']);
  poisoned.clear();
  expect(await deadLetters('redrive', '--all', '--dry-run')).toMatchObject([
    { id: 1, outcome: 'would redrive' },
    { id: 2, outcome: 'would redrive' },
  ]);
  expect(await letters()).toHaveLength(2);
  expect(await deadLetters('redrive', '1')).toMatchObject([{ id: 1, outcome: 'redriven' }]);
  await until('it to be handled', () => handled.length === 1);
  expect(await deadLetters('redrive', '--error', 'planted')).toMatchObject([{ id: 2, outcome: 'redriven' }]);
  await until('both to be handled', () => handled.length === 2);
  expect(handled).toEqual(['a', 'b']);
  expect(await letters()).toEqual([]);
  expect((await backends.messages('ORDERS')).length).toBe(2);
});

test('a redrive killed before any of its writes and made again: each dead letter is handled once', {
  timeout: 180_000,
}, async () => {
  const keys: string[] = [];
  for (let atWrite = 1, died = true; died; atWrite += 1) {
    const key = `killed-${atWrite}`;
    keys.push(key);
    await plant([order(), key]);
    poisoned.clear();
    died = await redriveDies(atWrite);
    await deadLetters('redrive', '--all');
    await until(`${key} to be handled`, () => handled.includes(key));
  }
  await until('nothing to be left', async () => (await backends.undone('ORDERS', 'order-view')) === 0);
  expect(await letters()).toEqual([]);
  expect(handled).toEqual(keys);
  expect(keys.length).toBeGreaterThan(5);
});

test('a letter that is still bad is a dead letter again, and can be redriven again at once', async () => {
  await plant([order(), 'a']);
  await deadLetters('redrive', '1');
  await until('a new dead letter', async () => (await letters()).map(({ sequence }) => sequence)[0] === 2);
  expect((await letters())[0]?.headers).toContain('millrace-attempts: 1');
  poisoned.clear();
  await deadLetters('redrive', '2');
  await until('it to be handled', () => handled.length === 1);
  expect(await letters()).toEqual([]);
});

test('the dead letters of an order are redriven in their order; one that is still bad stops its order alone', async () => {
  const [one, two] = [order(), order()];
  await plant([one, 'a1'], [two, 'b1'], [one, 'a2'], [two, 'b2'], [two, 'b3'], [one, 'a3']);
  poisoned = new Set(['a2']);
  const outcomes = await deadLetters('redrive', '--function', 'order-view');
  expect(outcomes.filter(({ outcome }) => outcome !== 'redriven')).toMatchObject([
    { id: 6, outcome: 'skipped: the one before failed again' },
  ]);
  await until('all others', () => handled.length === 4);
  expect(handled.filter((key) => key.startsWith('b'))).toEqual(['b1', 'b2', 'b3']);
  expect(handled).toContain('a1');
  expect((await letters()).map(({ data }) => JSON.parse(data).key).sort()).toEqual(['a2', 'a3']);
});

test('retries of others that wait or fail do not hold up a redrive', async () => {
  const one = order();
  await plant([one, 'a1'], [one, 'a2']);
  poisoned.clear();
  const origin = { 'millrace-origin': 'ORDERS 99 1 order.9.created', 'millrace-attempts': '1' };
  const busy = { at: new Date(Date.now() + 600_000).toISOString(), payload: '{"key":"busy"}', headers: origin };
  await schedule(backends.bus, 'waiting.order-view.x', { ...busy, target: 'retry.order-view' }, randomUUID());
  const outcomes = await deadLetters('redrive', '--all');
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['redriven', 'redriven']);
  await until('both to be handled', () => handled.length === 2);
});

test('a dead letter that waits for another attempt keeps back the rest of its order', async () => {
  const one = order();
  await plant([one, 'a1'], [one, 'a2']);
  poisoned.clear();
  later.add('a1');
  const outcomes = await deadLetters('redrive', '--all');
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['redriven', 'skipped: the one before failed again']);
  expect((await letters()).map(({ data }) => JSON.parse(data).key)).toEqual(['a2']);
});

test('a dead letter that does not say where it was is not redriven, and stays', async () => {
  await backends.bus.publish('dead.order-view', '{}', { 'millrace-function': 'order-view' }, 'x');
  await expect(deadLetters('redrive', '--all')).rejects.toThrow('dead letter 1 does not say where it was');
  expect(await letters()).toHaveLength(1);
});

test('discard removes what fits and nothing else', async () => {
  await plant([order(), 'a'], [order(), 'b']);
  expect(await deadLetters('discard', '--all', '--older-than', '1h')).toEqual([]);
  expect(await deadLetters('discard', '--function', 'sales-view')).toEqual([]);
  expect(await deadLetters('discard', '2')).toMatchObject([{ id: 2, outcome: 'discarded' }]);
  expect((await letters()).map(({ sequence }) => sequence)).toEqual([1]);
  expect(handled).toEqual([]);
});

test('who did what to which dead letter is on record', async () => {
  await plant([order(), 'a'], [order(), 'b']);
  poisoned.clear();
  await deadLetters('redrive', '1', '--by', 'ada');
  await deadLetters('discard', '2', '--by', 'grace');
  expect(await deadLetters('audit')).toMatchObject([
    { by: 'ada', did: 'redrive', letter: { id: 1, function: 'order-view', error: 'planted' } },
    { by: 'grace', did: 'discard', letter: { id: 2 } },
  ]);
});

test('a command that its consumer has passed over is sent again with the id that it had, and others are left alone', async () => {
  const { bus } = backends;
  const pull = async (filter: string): Promise<void> => {
    const { config } = await bus.api<{ config: object }>('CONSUMER.INFO.COMMANDS.ship-order');
    const fresh = { ...config, filter_subjects: undefined, filter_subject: filter };
    await bus.api('CONSUMER.CREATE.COMMANDS.ship-order', { stream_name: 'COMMANDS', config: fresh });
  };
  await pull('command.order.other');
  const stuck = await bus.publish('command.order.ship', '{"key":"stuck"}', { 'millrace-reply': '_INBOX.a' }, 'stuck');
  await bus.publish('command.order.other', '{}', {}, 'other');
  const others = bus.pull({ stream: 'COMMANDS', consumer: 'ship-order', inFlight: 1 }, (message) => message.ack());
  await until('the other one to be taken', async () => (await backends.lag('COMMANDS', 'ship-order')) === 0);
  await others.stop();
  await pull('command.order.ship');
  await bus.publish('command.order.ship', '{"key":"new"}', {}, 'new');
  const [before] = await backends.messages('COMMANDS');
  expect(await deadLetters('sweep', '--older-than', '1ms')).toMatchObject([
    { sequence: stuck, why: 'passed-over', outcome: 'sent again' },
  ]);
  const taken: string[] = [];
  const own = bus.pull({ stream: 'COMMANDS', consumer: 'ship-order', inFlight: 8 }, (message) => {
    taken.push(`${message.headers?.['ce-id'] ?? 'its place'} ${message.headers?.['millrace-reply'] ?? 'nobody'}`);
    message.ack();
  });
  await until('both to be taken', () => taken.length === 2);
  await own.stop();
  expect(before).toMatchObject({ sequence: stuck });
  expect(taken.sort()).toEqual([expect.stringMatching(`^COMMANDS-${stuck}-\\d{19} nobody$`), 'its place nobody']);
  expect(await letters()).toEqual([]);
});

test('what no function takes is swept to the dead letters, and nothing else is', async () => {
  const { bus } = backends;
  for (const subject of ['command.order.craete', 'command.order.create', 'parked.expire.1', 'retry.nobody'])
    await bus.publish(subject, '{"key":"a"}', { 'ce-id': subject, 'millrace-reply': '_INBOX.a' }, subject);
  expect(await deadLetters('sweep')).toEqual([]);
  const strays = [
    { stream: 'COMMANDS', subject: 'command.order.craete' },
    { stream: 'RETRIES', subject: 'retry.nobody' },
  ];
  expect(await deadLetters('sweep', '--older-than', '1ms', '--dry-run')).toMatchObject(strays);
  expect(await letters()).toEqual([]);
  expect(await deadLetters('sweep', '--older-than', '1ms')).toMatchObject(strays);
  expect(await deadLetters('list')).toMatchObject([
    { function: 'nobody', error: 'no-consumer', type: 'command.order.craete' },
    { function: 'nobody', error: 'no-consumer' },
  ]);
  expect((await backends.messages('COMMANDS')).map(({ subject }) => subject).sort()).toEqual([
    'command.order.create',
    'parked.expire.1',
  ]);
  expect(await backends.messages('RETRIES')).toEqual([]);
  await expect(deadLetters('redrive', '--all')).rejects.toThrow('there is no consumer nobody-retries of RETRIES');
});

test('the commands that the map of functions shows work as they stand there', async () => {
  await plant([order(), 'a']);
  const map = readFileSync(path.join(repository, 'functions/README.md'), 'utf8');
  const commands = [...map.matchAll(/^npx millrace dead-letters (.*)$/gm)].map(([, args = '']) => args.split(' '));
  expect(commands.length).toBeGreaterThanOrEqual(3);
  for (const args of commands) await deadLetters(...args);
});

test('a server that is not there is named', () => {
  const env = { ...process.env, NATS_URL: 'nats://127.0.0.1:1' };
  const { status, stderr } = spawnSync(MILLRACE, ['dead-letters', 'list'], { env, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 1, stderr: 'millrace: no NATS server answers at 127.0.0.1:1\n' });
});
