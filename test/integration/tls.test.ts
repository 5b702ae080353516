/** A bundle loads TLS only when it needs it: so it must still come to NATS and Postgres over it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backends, startBackends } from '../support/backends.ts';
import { type Identity, newAuthority } from '../support/certificates.ts';
import { startFunction } from '../support/functions.ts';
import { exampleOrder, publishCreated } from '../support/orders.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let folder: string;
const authority = newAuthority();
const identity = authority.issue('localhost');
const closers: (() => void)[] = [];

beforeAll(async () => {
  backends = await startBackends();
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-tls-'));
  await writeFile(path.join(folder, 'ca.pem'), authority.ca);
});

afterAll(async () => {
  for (const close of closers) close();
  await backends?.stop();
  await rm(folder, { recursive: true, force: true });
});

type Front = { readonly port: number; secured(): number };

/** Listens before a server that has no TLS; `begin` does what is said before it, with either end. */
async function front(
  upstream: string,
  { cert, key }: Identity,
  begin: (client: Socket, server: Socket) => Promise<void>,
): Promise<Front> {
  const { port: to } = new URL(upstream);
  let secured = 0;
  const listener = createServer(async (client) => {
    const server = connect(Number(to), '127.0.0.1');
    const both = [client, server];
    for (const end of both) end.on('error', () => both.forEach((one) => void one.destroy()));
    await begin(client, server);
    const tls = new TLSSocket(client, { isServer: true, cert, key });
    tls.once('secure', () => {
      secured += 1;
    });
    tls.on('error', () => server.destroy());
    tls.pipe(server).pipe(tls);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  closers.push(() => listener.close());
  return { port: (listener.address() as AddressInfo).port, secured: () => secured };
}

const next = (socket: Socket): Promise<Buffer> =>
  new Promise((resolve) => {
    socket.once('data', (chunk: Buffer) => {
      socket.pause();
      resolve(chunk);
    });
  });

test('a function works over TLS to NATS and to Postgres', async () => {
  const nats = await front(backends.natsUrl, identity, async (client, server) => {
    const info = String(await next(server));
    client.write(info.replace('INFO {', 'INFO {"tls_required":true,'));
  });
  const postgres = await front(backends.databaseUrl, identity, async (client) => {
    await next(client);
    client.write('S');
  });
  const database = new URL(backends.databaseUrl);
  database.hostname = 'localhost';
  database.port = String(postgres.port);
  database.searchParams.set('sslmode', 'verify-full');
  const orderView = await startFunction('order-view', backends, {
    env: {
      NATS_URL: `tls://localhost:${nats.port}`,
      DATABASE_URL: database.href,
      NODE_EXTRA_CA_CERTS: path.join(folder, 'ca.pem'),
    },
  });
  const order = exampleOrder();
  await publishCreated(backends.bus, order);
  await until('the row of the order', async () => {
    const { rows } = await backends.database.query('select 1 from order_view where order_id = $1', [order.orderId]);
    return rows.length === 1;
  });
  expect(nats.secured()).toBeGreaterThan(0);
  expect(postgres.secured()).toBeGreaterThan(0);
  await orderView.stop();
});
