import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../functions/runtime/function.ts';
import type { SettingsOf } from '../../functions/runtime/settings.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { exampleOrder } from '../support/orders.ts';
import { testShell } from '../support/shell.ts';
import smsNotifier from '../support/sms-notifier/function.ts';
import { until } from '../support/until.ts';

type Message = { readonly key: unknown; readonly to: string };
/** It runs as this one, whose consumer takes all events of orders. */
const NAME = 'order-emails';

let backends: Backends;
let running: Running;
let close: () => Promise<void>;
const sent: Message[] = [];
/** What the gateway answers next; 200 afterwards. */
const answers: number[] = [];

const gateway = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const status = answers.shift() ?? 200;
  if (status === 200) sent.push({ key: request.headers['idempotency-key'], to: JSON.parse(body).to });
  response.writeHead(request.url === '/v1/messages' ? status : 404).end();
});

beforeAll(async () => {
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  backends = await startBackends({
    consumer: (spec) => (spec.durableName === NAME ? { ...spec, filterSubjects: ['order.*.shipped'] } : spec),
  });
  const opened = testShell(
    smsNotifier.settings as SettingsOf<Parameters<typeof smsNotifier.start>[0]['settings']>,
    {
      NATS_URL: backends.natsUrl,
      DATABASE_URL: backends.databaseUrl,
      SMS_URL: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/v1`,
    },
    NAME,
  );
  close = opened.close;
  running = await smsNotifier.start(opened.shell);
});

afterAll(async () => {
  await running?.drain();
  await close?.();
  gateway.close();
  await backends?.stop();
});

async function publishShipped(eventId: string, customerId: string): Promise<void> {
  const order = exampleOrder({ customerId });
  const parcel = { shipmentId: randomUUID(), carrier: 'Post', trackingNumber: 'NL-1', lines: [] };
  const data = JSON.stringify({ order, ...parcel, shippedAt: new Date().toISOString() });
  const headers = { 'ce-id': eventId, 'ce-source': '/test' };
  await backends.bus.publish(`order.${order.orderId}.shipped`, data, headers, randomUUID());
}

const drained = () => until('no lag', async () => (await backends.undone('ORDERS', NAME)) === 0);
const claimsOf = async (eventId: string) => {
  const text = 'select template, channel, status, reason, attempts, sender from notifications where event_id = $1';
  return (await backends.database.query(text, [eventId])).rows;
};

test('the same event three times is one message on its channel, with the key of its delivery', async () => {
  const [eventId, customer] = [randomUUID(), randomUUID()];
  await backends.database.query(
    `insert into notifications (event_id, template, recipient, status, claimed_until) values ($1, 'shipped', $2, 'sent', now())`,
    [eventId, customer],
  );
  for (let time = 0; time < 3; time += 1) await publishShipped(eventId, customer);
  await drained();
  expect(sent).toEqual([{ key: expect.stringMatching(/^[0-9a-f-]{36}$/), to: customer }]);
  const claim = { template: 'shipped', channel: 'sms', status: 'sent', reason: null, attempts: 1, sender: NAME };
  const [byEmail, ...bySms] = (await claimsOf(eventId)).sort((a, b) => a.channel.localeCompare(b.channel));
  expect(byEmail).toMatchObject({ channel: 'email' });
  expect(bySms).toEqual([claim]);
});

test('a gateway that is away is asked again with the same key, and one that refuses makes a dead letter', async () => {
  const [away, refused, customer] = [randomUUID(), randomUUID(), randomUUID()];
  answers.push(503, 503);
  await publishShipped(away, customer);
  await drained();
  expect(sent.filter(({ to }) => to === customer)).toHaveLength(1);
  expect(await claimsOf(away)).toMatchObject([{ status: 'sent', attempts: 3 }]);
  answers.push(422);
  await publishShipped(refused, customer);
  await drained();
  expect(await claimsOf(refused)).toMatchObject([{ status: 'failed', reason: 'given-up', attempts: 1 }]);
  const [letter] = await backends.messages('DEAD_LETTERS');
  expect(letter?.headers).toContain('millrace-error: sms-gateway-refused');
  await publishShipped(refused, customer);
  await drained();
  expect(await claimsOf(refused)).toMatchObject([{ status: 'sent', attempts: 2 }]);
});

test('functions/README.md shows this very notifier', () => {
  const shown = readFileSync(path.join(repository, 'functions/README.md'), 'utf8');
  const source = readFileSync(path.join(repository, 'test/support/sms-notifier/function.ts'), 'utf8');
  expect(shown).toContain(`\`\`\`ts\n${source.replaceAll("'../../../functions/", "'../../")}\`\`\``);
});
