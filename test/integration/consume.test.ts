import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../functions/runtime/errors.ts';
import type { Running } from '../../functions/runtime/function.ts';
import { consume } from '../../functions/runtime/handling/consume.ts';
import { natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import type { Incoming } from '../../functions/runtime/messages/message.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

const STREAM = 'ORDERS';
const CONSUMER = 'order-view';

let backends: Backends;
let closers: (() => Promise<void> | void)[];

beforeEach(async () => {
  closers = [];
  backends = await startBackends({ consumer: (spec) => ({ ...spec, ackWait: '1s', maxAckPending: 1000 }) });
});

afterEach(async () => {
  for (const close of closers.reverse()) await close();
  await backends.stop();
});

type Options = { inFlight?: number; batch?: number; concurrency?: number };

async function start(handle: (batch: readonly Incoming[]) => Promise<void>, options: Options = {}): Promise<Running> {
  const { shell, close } = testShell(natsSettings, { NATS_URL: backends.natsUrl });
  closers.push(close);
  const bus = await openBus(shell);
  const running = consume(
    shell,
    bus,
    { stream: STREAM, consumer: CONSUMER, types: ['order.created'], inFlight: 8, batch: 1, concurrency: 8, ...options },
    handle,
  );
  closers.push(() => running.drain());
  return running;
}

const publish = (count: number, data: (index: number) => unknown = (index) => ({ index })) =>
  Promise.all(
    Array.from({ length: count }, (_, index) =>
      backends.bus.publish(`order.${randomUUID()}.created`, JSON.stringify(data(index)), {}, randomUUID()),
    ),
  );

const lag = () => backends.lag(STREAM, CONSUMER);
const indexOf = ({ data }: Incoming): number => (data as { index: number }).index;

test('no more messages are taken than there is room for', async () => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let busy = 0;
  let most = 0;
  await start(
    async () => {
      busy += 1;
      most = Math.max(most, busy);
      await gate;
      busy -= 1;
    },
    { inFlight: 5, concurrency: 3 },
  );
  await publish(40);
  await until('the room to be full', async () => {
    const info = await backends.bus.api<{ num_ack_pending: number; num_pending: number }>(
      `CONSUMER.INFO.${STREAM}.${CONSUMER}`,
    );
    return info.num_ack_pending === 5 && info.num_pending === 35;
  });
  expect(busy).toBe(3);
  release();
  await until('all to be handled', async () => (await lag()) === 0);
  expect(most).toBe(3);
});

test('waiting messages go together, up to the size of a batch', async () => {
  const sizes: number[] = [];
  await publish(100);
  await start(
    async (batch) => {
      sizes.push(batch.length);
    },
    { inFlight: 64, batch: 16, concurrency: 1 },
  );
  await until('all to be handled', async () => (await lag()) === 0);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(100);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(16);
  expect(sizes.length).toBeLessThan(50);
});

test('one bad message of a batch becomes a dead letter, and its neighbours are handled', async () => {
  const seen = new Set<number>();
  await publish(20);
  await start(
    async (batch) => {
      if (batch.some((incoming) => indexOf(incoming) === 7))
        throw new AppError('invalid', 'planted', 'number 7 is bad');
      for (const incoming of batch) seen.add(indexOf(incoming));
    },
    { inFlight: 32, batch: 32, concurrency: 1 },
  );
  await until('all to be handled', async () => (await lag()) === 0);
  expect(seen.size).toBe(19);
  const letters = await backends.messages('DEAD_LETTERS');
  expect(letters.map(({ subject, data }) => [subject, data])).toEqual([['dead.test', '{"index":7}']]);
  expect(letters[0]?.headers).toContain('millrace-error: planted');
});

test('a failing handler is tried again, and an unavailable one for as long as it takes', async () => {
  let tries = 0;
  await publish(1);
  await start(async () => {
    tries += 1;
    if (tries < 7) throw new AppError('unavailable', 'planted', 'not yet', { retryAfterMs: 10 });
  });
  await until('the seventh attempt', () => tries === 7, 50_000);
  await until('nothing to be left', async () => (await lag()) + (await backends.messages('RETRIES')).length === 0);
  expect(await backends.messages('DEAD_LETTERS')).toEqual([]);
});

test('a handler that keeps breaking gives up as a dead letter at the sixth attempt', async () => {
  let tries = 0;
  await publish(1);
  await start(async () => {
    tries += 1;
    throw new AppError('internal', 'planted', 'always', { retryAfterMs: 5 });
  });
  await until('the dead letter', async () => (await backends.messages('DEAD_LETTERS')).length === 1);
  expect(tries).toBe(6);
  expect((await backends.messages('DEAD_LETTERS'))[0]?.headers).toContain('millrace-attempts: 6');
});

test('a drain finishes what is in work and hands back what is not, at once', async () => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = 0;
  const handled: number[] = [];
  const running = await start(
    async (batch) => {
      begun += batch.length;
      await gate;
      handled.push(...batch.map(indexOf));
    },
    { inFlight: 10, concurrency: 2 },
  );
  await publish(10);
  await until('ten to be taken', async () => {
    const info = await backends.bus.api<{ num_ack_pending: number }>(`CONSUMER.INFO.${STREAM}.${CONSUMER}`);
    // The server counts what it has sent, which need not have arrived.
    return info.num_ack_pending === 10 && begun === 2;
  });
  const drained = running.drain();
  release();
  await drained;
  expect(handled).toHaveLength(2);
  const redelivered = new Set<number>();
  await start(async (batch) => {
    for (const incoming of batch) {
      redelivered.add(indexOf(incoming));
      expect(incoming.attempt).toBe(2);
    }
  });
  await until('the rest to be handled', async () => (await lag()) === 0);
  expect(redelivered.size).toBe(8);
});

test('after a restart of the server the consumer goes on by itself', async () => {
  const seen = new Set<number>();
  const running = await start(async (batch) => {
    for (const incoming of batch) seen.add(indexOf(incoming));
  });
  await publish(1);
  await until('the first', () => seen.has(0));
  await backends.restartNats();
  await until('both to be connected again', () => running.notReady() === undefined && backends.bus.connected());
  await publish(2, (index) => ({ index: index + 1 }));
  await until('those after the restart', () => seen.has(1) && seen.has(2));
});

test('without its consumer it is not ready, and it goes on once the consumer is there', async () => {
  await backends.bus.api(`CONSUMER.DELETE.${STREAM}.${CONSUMER}`);
  const seen: number[] = [];
  const running = await start(async (batch) => {
    seen.push(...batch.map(indexOf));
  });
  expect(await until('the problem', () => running.notReady())).toContain(
    `no stream ${STREAM} with a consumer ${CONSUMER}`,
  );
  await publish(1);
  await backends.bus.api(`CONSUMER.CREATE.${STREAM}.${CONSUMER}`, {
    stream_name: STREAM,
    config: {
      durable_name: CONSUMER,
      name: CONSUMER,
      ack_policy: 'explicit',
      deliver_policy: 'all',
      filter_subject: 'order.*.created',
    },
  });
  await until('the message', () => seen.length === 1);
  expect(running.notReady()).toBeUndefined();
});

test('a handler error that says when to come again is obeyed', async () => {
  const at: number[] = [];
  await publish(1);
  await start(async () => {
    at.push(Date.now());
    if (at.length === 1) throw new AppError('exhausted', 'planted', 'later', { retryAfterMs: 600 });
  });
  await until('the second attempt', () => at.length === 2);
  expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(590);
});

test('a long wait is parked: nothing is lag meanwhile, and the message comes back as it was', async () => {
  const seen: Incoming[] = [];
  const running = await start(async ([incoming]) => {
    if (incoming) seen.push(incoming);
    if (seen.length === 1) throw new AppError('unavailable', 'planted', 'later', { retryAfterMs: 3_500 });
  });
  await publish(1);
  await until('the message to be parked', async () => (await backends.messages('RETRIES')).length === 1);
  const [parked] = await backends.messages('RETRIES');
  expect(parked?.subject).toMatch(/^waiting\.order-view\.ORDERS-1-\d+$/);
  await until('no lag', async () => (await lag()) === 0);
  expect(await backends.lag('RETRIES', `${CONSUMER}-retries`)).toBe(0);
  await running.drain();
  await backends.restartNats();
  await until('to be connected again', () => backends.bus.connected());
  await start(async ([incoming]) => {
    if (incoming) seen.push(incoming);
  });
  await until('the second attempt', () => seen.length === 2);
  const [first, second] = seen.map(({ answer: _, trace: __, ...rest }) => rest);
  expect(second).toEqual({ ...first, attempt: 2 });
  await until('nothing to be left', async () => (await backends.messages('RETRIES')).length === 0);
});

test('a message that is parked again has one place to wait', async () => {
  let tries = 0;
  await publish(1);
  await start(async () => {
    tries += 1;
    throw new AppError('unavailable', 'planted', 'later', { retryAfterMs: tries < 3 ? 3_001 : 600_000 });
  });
  await until('the third attempt', () => tries === 3, 20_000);
  await until('no lag', async () => (await backends.lag('RETRIES', `${CONSUMER}-retries`)) === 0);
  const parked = await backends.messages('RETRIES');
  expect(parked.map(({ headers }) => /millrace-attempts: (\d+)/.exec(headers)?.[1])).toEqual(['3']);
});

/** Delivers what waits again and again, as when each delivery ends the process. */
async function deliverInVain(stream: string, consumer: string, times: number): Promise<void> {
  let deliveries = 0;
  const pull = backends.bus.pull({ stream, consumer, inFlight: 8 }, (message) => {
    deliveries = Math.max(deliveries, message.deliveries);
    message.nak(0);
    pull.done();
  });
  await until(`${times} deliveries`, () => deliveries >= times);
  await pull.stop();
}

test('messages that are delivered in vain time and again are parked, each for a time of its own', async () => {
  await publish(5);
  await deliverInVain(STREAM, CONSUMER, 12);
  let handled = 0;
  await start(async () => {
    handled += 1;
  });
  await until('all to be parked', async () => (await backends.messages('RETRIES')).length === 5);
  const due = (await backends.messages('RETRIES')).map(({ headers }) => /@at (\S+)/.exec(headers)?.[1]);
  expect(new Set(due).size).toBe(5);
  expect(handled).toBe(0);
  expect(await backends.messages('DEAD_LETTERS')).toEqual([]);
});

test('a retry that is delivered in vain time and again is given up', async () => {
  const headers = { 'millrace-origin': 'ORDERS 1 1 order.1.created', 'millrace-attempts': '11' };
  await backends.bus.publish(`retry.${CONSUMER}`, '{"index":0}', headers, randomUUID());
  await deliverInVain('RETRIES', `${CONSUMER}-retries`, 12);
  let handled = 0;
  await start(async () => {
    handled += 1;
  });
  await until('the dead letter', async () => (await backends.messages('DEAD_LETTERS')).length === 1);
  const [letter] = await backends.messages('DEAD_LETTERS');
  expect(letter?.headers).toContain('millrace-error: too-many-deliveries');
  expect(letter?.headers).toContain('millrace-origin: ORDERS 1 1 order.1.created');
  expect(handled).toBe(0);
});

test('retries that hang do not hold up what is new', async () => {
  const begun: number[] = [];
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const origin = (index: number) => ({
    'millrace-origin': `ORDERS ${index} 1 order.1.created`,
    'millrace-attempts': '1',
  });
  for (let index = 0; index < 8; index += 1)
    await backends.bus.publish(`retry.${CONSUMER}`, JSON.stringify({ index }), origin(index), randomUUID());
  await start(async ([incoming]) => {
    const index = incoming ? indexOf(incoming) : -1;
    begun.push(index);
    if (index < 8) await gate;
  });
  await until('eight retries', () => begun.length === 8);
  await publish(1, () => ({ index: 8 }));
  await until('the new one', () => begun.includes(8));
  release();
});

test('the first dead letters, which do not say when their message was stored, can be tried again', async () => {
  const seen: Incoming[] = [];
  await start(async (batch) => {
    seen.push(...batch);
  });
  const headers = { 'millrace-origin': 'ORDERS 7 order.1.created', 'millrace-attempts': '0', 'ce-id': 'a' };
  await backends.bus.publish(`retry.${CONSUMER}`, '{}', headers, randomUUID());
  await until('it to be handled', () => seen.length === 1);
  expect(seen[0]).toMatchObject({ id: 'a', type: 'order.created', attempt: 1 });
});

test.each([{}, { 'millrace-origin': 'ORDERS one 1 order.1.created', 'millrace-attempts': '1' }])(
  'a retry of nothing, with headers %j, is a dead letter',
  async (headers) => {
    let handled = 0;
    await start(async () => {
      handled += 1;
    });
    await backends.bus.publish(`retry.${CONSUMER}`, '{}', headers as Record<string, string>, randomUUID());
    await until('the dead letter', async () => (await backends.messages('DEAD_LETTERS')).length === 1);
    expect((await backends.messages('DEAD_LETTERS'))[0]?.headers).toContain('millrace-error: invalid-retry');
    expect(handled).toBe(0);
  },
);
