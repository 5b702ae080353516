import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { listDeliveries } from '../../functions/notifications/webhook-deliveries.ts';
import { createEndpoint } from '../../functions/notifications/webhook-endpoints.ts';
import { startBackends } from '../support/backends.ts';
import { killAtEachWrite } from '../support/killed.ts';
import { exampleOrder, publishCreated } from '../support/orders.ts';
import { startReceiver } from '../support/receiver.ts';

const AT_THE_SAME_TIME = 3;
const env = { WEBHOOK_ALLOW_LOOPBACK: 'true', WEBHOOK_RETRY_SECONDS: '1,1,1' };

let closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
});

async function killedAtItsShare(first: number): Promise<void> {
  const backends = await startBackends({ consumer: (spec) => ({ ...spec, ackWait: '1s' }) });
  const receiver = await startReceiver();
  closers.push(backends.stop, receiver.close);
  // Each delivery is refused once: its next attempt is parked.
  const refused = new Set<unknown>();
  receiver.answer((response) => {
    const id = receiver.received.at(-1)?.headers['webhook-id'];
    response.writeHead(refused.has(id) ? 200 : 500).end();
    refused.add(id);
  });
  const endpointId = randomUUID();
  await createEndpoint(backends.database, endpointId, { url: receiver.url, eventTypes: ['*'] }, { loopback: true });
  const deliveries = () => listDeliveries(backends.database, endpointId, { limit: 1_000 });
  const send = async (): Promise<string> => {
    const eventId = randomUUID();
    await publishCreated(backends.bus, exampleOrder(), eventId);
    return eventId;
  };
  const isDone = async (id: string): Promise<boolean> =>
    (await deliveries()).some(({ eventId, status }) => eventId === id && status === 'delivered') &&
    (await backends.undone('ORDERS', 'webhooks')) === 0;
  const ids = await killAtEachWrite(backends, 'webhooks', send, { first, step: AT_THE_SAME_TIME, env, isDone });
  const found = await deliveries();
  expect(found.map(({ eventId }) => eventId).sort()).toEqual([...ids].sort());
  expect(found.every(({ status }) => status === 'delivered')).toBe(true);
  expect(await backends.messages('DEAD_LETTERS')).toEqual([]);
  expect(await backends.messages('RETRIES')).toEqual([]);
}

test('webhooks killed before any of its writes: each event is one delivery, and each delivery arrives', async () => {
  await Promise.all(Array.from({ length: AT_THE_SAME_TIME }, (_, index) => killedAtItsShare(index + 1)));
}, 400_000);
