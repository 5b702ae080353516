/** Functions started from cold, each with one message that waits for it, and held to prove that they did their work. */
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '../../../../functions/runtime/jetstream/connection.ts';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { openMailbox } from '../../../platform/servers/mailbox.ts';
import { freePort } from '../../../platform/servers/ports.ts';
import { probe } from '../../../platform/servers/probe.ts';
import { repository } from '../../../registry/repository.ts';
import { signingKeyFile } from '../../signing-key/file.ts';
import { openSpanReceiver, type Receiver } from '../load/receiver.ts';
import { openPlace, type Place } from './place.ts';
import { type Spent, type Start, spentBy } from './spent.ts';

export const COLD = ['create-order', 'order-view', 'order-emails'] as const;
export type Cold = (typeof COLD)[number];
const STREAMS: Readonly<Record<Cold, string>> = {
  'create-order': 'COMMANDS',
  'order-view': 'ORDERS',
  'order-emails': 'ORDERS',
};

/** As Knative's queue-proxy asks a container that starts. */
const PROBE_EVERY_MS = 25;
const POLL_MS = 5;
const MOST_MS = 60_000;

export type Site = Place & { readonly receiver: Receiver };

export async function until(what: string, holds: () => boolean | Promise<boolean>, everyMs: number): Promise<void> {
  const end = Date.now() + MOST_MS;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await delay(everyMs);
  }
}

export async function undone(bus: Bus, name: Cold): Promise<number> {
  const path = `CONSUMER.INFO.${STREAMS[name]}.${name}`;
  const { num_pending, num_ack_pending } = await bus.api<{ num_pending: number; num_ack_pending: number }>(path);
  return num_pending + num_ack_pending;
}

/** A place with all that the three functions ask: user-service, which is real, a mail server, and a receiver of spans. */
export async function openSite(cleanup: Cleanup): Promise<Site> {
  const place = await openPlace([...COLD, 'user-service'], cleanup);
  const receiver = await openSpanReceiver(cleanup);
  const mailbox = await openMailbox(path.join(place.folder, 'mails.jsonl'));
  cleanup.add('mailbox', () => mailbox.close());
  const [port, grpcPort] = [await freePort(), await freePort()];
  const users = spawn(process.execPath, [place.bundleOf('user-service')], {
    env: {
      ...place.environment,
      PORT: String(port),
      GRPC_PORT: String(grpcPort),
      SIGNING_KEY_FILE: await signingKeyFile(place.folder),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  cleanup.add('user-service', async () => {
    users.kill('SIGTERM');
    await once(users, 'exit');
  });
  await until('user-service', () => probe(port), POLL_MS);
  const environment = {
    ...place.environment,
    NODE_ENV: 'production',
    // As in an image.
    HOST: '0.0.0.0',
    LOG_LEVEL: 'info',
    USER_SERVICE_ADDRESS: `127.0.0.1:${grpcPort}`,
    SMTP_URL: mailbox.url,
    SHOP_URL: 'https://shop.example',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  };
  return { ...place, environment, receiver };
}

/** Has a command wait for create-order; gives the trace that it is in. */
export async function placeOrder({ bus, database }: Place): Promise<string> {
  const traceId = randomBytes(16).toString('hex');
  const customerId = randomUUID();
  await database.query(
    `insert into users (user_id, email, password_hash, role, created_at) values ($1, $2, 'x', 'customer', now())`,
    [customerId, `${customerId}@example.com`],
  );
  const command = { orderId: randomUUID(), customerId, lines: [{ sku: 'mug', quantity: 1 }] };
  const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` };
  await bus.publish('command.order.create', JSON.stringify(command), headers, randomUUID());
  return traceId;
}

/** The start of a function's bundle, as its image or the local shop starts it. */
export const startOf = ({ bundleOf }: Place, name: Cold): Start => ({
  command: [bundleOf(name)],
  environment: {},
});

/** A cache as an image has it: made by its warm-up, with stand-ins for the servers. */
export async function bakeCache({ environment, bundleOf }: Place, name: Cold): Promise<void> {
  const warmUp = path.join(repository, 'scripts/shop/warm-up/warm-up.cjs');
  const child = spawn(process.execPath, [warmUp, bundleOf(name)], {
    env: { NODE_COMPILE_CACHE: String(environment.NODE_COMPILE_CACHE) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the warm-up of ${name} ended with ${code}`);
}

/** A start with one message waiting; throws unless it answers `/readyz`, acks it, and `span` arrives. */
export async function coldStart(site: Site, name: Cold, start: Start, span: string, drains = true): Promise<Spent> {
  const { bus, receiver } = site;
  await until(`a message for ${name}`, async () => (await undone(bus, name)) === 1, POLL_MS);
  receiver.forget();
  const port = await freePort();
  const environment = { ...site.environment, ...start.environment, PORT: String(port) };
  const spent = await spentBy({ ...start, environment }, async (child) => {
    const ended = (): void => {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    };
    await Promise.all([
      until(
        `${name} to be ready`,
        () => {
          ended();
          return probe(port);
        },
        PROBE_EVERY_MS,
      ),
      until(`${name} to ack`, async () => (await undone(bus, name)) === 0, POLL_MS),
    ]);
    // What drains pushes its spans then; the framework ends at once.
    if (!drains) await until('the span', () => receiver.has(span), POLL_MS);
  });
  await until('the span', () => receiver.has(span), POLL_MS);
  return spent;
}
