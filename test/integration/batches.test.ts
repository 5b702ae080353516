/** What becomes of messages that are published at the same time, asked of a real nats-server. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { eventStreams } from '../../scripts/generate/event-streams.ts';
import { applyJetstream } from '../../scripts/manifests/nack.ts';
import { type Backends, startBackends } from '../support/backends.ts';

const MANY = 100;

let backends: Backends;

beforeAll(async () => {
  backends = await startBackends();
});

afterAll(() => backends?.stop());

const ids = () => Array.from({ length: MANY }, () => randomUUID());

const publish = (id: string, data = '{}') => backends.bus.publish(`order.${id}.created`, data, { 'ce-id': id }, id);

/** The messages of ORDERS about one of these, in their order. */
async function stored(about: readonly string[]) {
  const wanted = new Set(about.map((id) => `order.${id}.created`));
  return (await backends.messages('ORDERS')).filter(({ subject }) => wanted.has(subject));
}

test('messages published at the same time are stored as one batch, in their order, each with its own sequence', async () => {
  const all = ids();
  const sequences = await Promise.all(all.map((id) => publish(id)));
  const found = await stored(all);
  expect(found.map(({ subject }) => subject)).toEqual(all.map((id) => `order.${id}.created`));
  expect(found.map(({ sequence }) => sequence)).toEqual(sequences);
  const batches = new Set(found.map(({ headers }) => /Nats-Batch-Id: (\S+)/.exec(headers)?.[1]));
  expect([...batches]).toEqual([expect.any(String)]);
});

test('one that is stored already is stored once, and the others with it are stored', async () => {
  const all = ids();
  const [known = ''] = all.slice(40);
  const before = await publish(known);
  const sequences = await Promise.all(all.map((id) => publish(id)));
  expect(sequences[40]).toBe(before);
  expect(await stored(all)).toHaveLength(MANY);
});

test('one that is too large is refused by itself, and the others with it are stored', async () => {
  const all = ids();
  const ends = await Promise.allSettled(all.map((id, index) => publish(id, index === 40 ? 'x'.repeat(600_000) : '{}')));
  const refused = ends.flatMap((end, index) => (end.status === 'rejected' ? [[index, end.reason.slug]] : []));
  expect(refused).toEqual([[40, 'message-too-large']]);
  expect(await stored(all)).toHaveLength(MANY - 1);
});

test('a stream of a version before, which took no batches, takes them after the next start, and keeps what it has', async () => {
  const [today] = eventStreams([
    { name: 'parcels', stream: { name: 'PARCELS', description: 'parcels' }, events: { 'parcel.sent': z.object({}) } },
  ]);
  if (!today) throw new Error('a context with events has a stream');
  const { allowAtomicPublish: _, ...before } = today;
  const { api } = backends.bus;
  await applyJetstream(api, [before], []);
  const publishOne = (id: string) => backends.bus.publish(`parcel.${id}.sent`, '{}', { 'ce-id': id }, id);
  const first = randomUUID();
  await publishOne(first);
  await applyJetstream(api, [today], []);
  const all = ids();
  await Promise.all(all.map(publishOne));
  const found = await backends.messages('PARCELS');
  expect(found.map(({ subject }) => subject)).toEqual([first, ...all].map((id) => `parcel.${id}.sent`));
  expect(found.slice(1).every(({ headers }) => headers.includes('Nats-Batch-Id'))).toBe(true);
});
