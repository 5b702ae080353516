/** Orders at a steady rate through the HTTP edge → how long until the answer, the row and the e-mail, beside a bare insert and publish. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';
import { nameId, newId } from '../../../../functions/runtime/ids.ts';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { freePort } from '../../../platform/servers/ports.ts';
import { signingKeyFile } from '../../signing-key/file.ts';
import { startBundle } from '../measure/bundle.ts';
import { openPlace, type Place } from '../measure/place.ts';
import type { Part, Result, Row } from '../part.ts';
import { quantile } from '../quantile.ts';

const FUNCTIONS = ['user-service', 'commands-api', 'create-order', 'order-view', 'order-emails'];
const PER_SECOND = 100;
const WARM_UP = 500;
const ORDERS = 2_000;
const MOST_MS = 30_000;

/** Of one order: when it was sent, and ms from then. */
type Times = { readonly sentAt: number; answer?: number | undefined; row?: number; mail?: number };
type Step = 'answer' | 'row' | 'mail';

/** Calls `each` at an even rate, whether the earlier calls are done or not; resolves when all are. */
async function atRate(count: number, each: () => Promise<void>): Promise<void> {
  const began = performance.now();
  const calls: Promise<void>[] = [];
  for (let call = 0; call < count; call += 1) {
    const wait = began + (call * 1_000) / PER_SECOND - performance.now();
    if (wait > 0) await delay(wait);
    const one = each();
    // Thrown when all have begun.
    one.catch(() => undefined);
    calls.push(one);
  }
  await Promise.all(calls);
}

/** Tells the id of each order whose mail was taken; its address. */
async function openMailServer(cleanup: Cleanup, taken: (orderId: string) => void): Promise<string> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onData: (stream, _session, done) => {
      text(stream).then((mail) => {
        taken(/^Subject: .*?([0-9a-f-]{36})/m.exec(mail)?.[1] ?? '');
        done();
      }, done);
    },
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  cleanup.add('mail server', () => new Promise((resolve) => server.close(resolve)));
  return `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
}

/** Tells the id of each order whose row is committed: a trigger says so, as a query at intervals would come late. */
async function watchRows({ database }: Place, cleanup: Cleanup, visible: (orderId: string) => void): Promise<void> {
  await database.query(`
    create function tell_row() returns trigger language plpgsql as
    $$ begin perform pg_notify('order_rows', new.order_id::text); return new; end $$;
    create trigger tell_row after insert on order_view for each row execute function tell_row()`);
  const client = await database.connect();
  client.on('notification', ({ payload = '' }) => visible(payload));
  await client.query('listen order_rows');
  cleanup.add('rows', () => client.release(true));
}

async function post(agent: http.Agent, url: string, body: object, headers: Readonly<Record<string, string>>) {
  const sent = http.request(url, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', ...headers },
  });
  sent.end(JSON.stringify(body));
  const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
  const answer = await text(response);
  if (response.statusCode !== 201) throw new Error(`${url}: ${response.statusCode} ${answer}`);
  return JSON.parse(answer);
}

async function startShop(place: Place, smtp: string, cleanup: Cleanup): Promise<string> {
  const grpcPort = String(await freePort());
  const more = {
    GRPC_PORT: grpcPort,
    SIGNING_KEY_FILE: await signingKeyFile(path.join(place.folder, 'secrets')),
    USER_SERVICE_ADDRESS: `127.0.0.1:${grpcPort}`,
    SMTP_URL: smtp,
    SHOP_URL: 'https://shop.example',
  };
  const urls = new Map<string, string>();
  for (const name of FUNCTIONS) urls.set(name, await startBundle(place, name, cleanup, more));
  return urls.get('commands-api') ?? '';
}

/** One row in Postgres and one message in JetStream, each durable: what no chain can do without. */
async function openBare({ bus, database }: Place): Promise<() => Promise<void>> {
  await database.query('create table bench_bare (id text primary key, data json not null)');
  await bus.api('STREAM.CREATE.BENCH', { name: 'BENCH', subjects: ['bench.>'], storage: 'file', num_replicas: 1 });
  const data = JSON.stringify({ note: 'x'.repeat(300) });
  return async () => {
    const id = newId();
    await database.query({ name: 'bench-bare', text: 'insert into bench_bare values ($1, $2)', values: [id, data] });
    await bus.publish('bench.bare', data, {}, id);
  };
}

/** An order of a customer who has just signed up; it is noted when its answer, its row and its mail are there. */
async function openOrders(url: string, orders: Map<string, Times>, cleanup: Cleanup): Promise<() => Promise<void>> {
  const agent = new http.Agent({ keepAlive: true });
  cleanup.add('agent', () => agent.destroy());
  const account = { email: 'bench@example.com', password: 'a password of the bench' };
  const { userId } = await post(agent, `${url}/v1/users`, account, { 'idempotency-key': newId() });
  const { accessToken } = await post(agent, `${url}/v1/sessions`, account, {});
  const authorization = `Bearer ${accessToken}`;
  return async () => {
    const key = newId();
    // As commands-api names it: so the row and the mail are known even when they come before the answer.
    const id = nameId('order', userId, key);
    const times: Times = { sentAt: performance.now() };
    orders.set(id, times);
    const body = { lines: [{ sku: 'mug', quantity: 1 }] };
    const { orderId } = await post(agent, `${url}/v1/orders`, body, { authorization, 'idempotency-key': key });
    if (orderId !== id) throw new Error(`order ${orderId} is named in another way than ${id}`);
    times.answer = performance.now() - times.sentAt;
  };
}

const isDone = ({ answer, row, mail }: Times): boolean => ![answer, row, mail].includes(undefined);

/** Waits until each order has its answer, row and mail; throws when one lacks something, or has it twice. */
async function checked(orders: Map<string, Times>, doubled: readonly string[]): Promise<Times[]> {
  for (const end = Date.now() + MOST_MS; ![...orders.values()].every(isDone); await delay(20))
    if (Date.now() > end)
      throw new Error(
        `${[...orders.values()].filter((one) => !isDone(one)).length} of ${orders.size} orders lack their answer, row or mail`,
      );
  if (doubled[0]) throw new Error(`there is a second ${doubled[0]}`);
  return [...orders.values()];
}

const GOALS = { p50: 3, p99: 10 } as const;

function rowsOf(times: readonly Times[], bare: readonly number[]): Row[] {
  const steps = { answer: 'HTTP request to 201', row: 'to the visible row', mail: 'to the e-mail at SMTP' } as const;
  return (['answer', 'row', 'mail'] as const).flatMap((step) =>
    (
      [
        ['p50', 0.5],
        ['p99', 0.99],
      ] as const
    ).flatMap(([name, share]): Row[] => {
      const value = quantile(
        times.map((one) => one[step] ?? Number.NaN),
        share,
      );
      const what = `order at ${PER_SECOND}/s, ${steps[step]}, ${name}`;
      const baseline = { what: `one bare insert and publish, ${name}`, value: quantile(bare, share) };
      const goal = { what: 'the goal on a quiet machine', value: GOALS[name] };
      const judged: Row = { what, value, unit: 'ms', baseline: goal, reach: { is: 'at most', ratio: 1 } };
      return [{ what, value, unit: 'ms', baseline }, ...(step === 'row' ? [judged] : [])];
    }),
  );
}

const toPlot = (name: string, values: readonly number[]) => ({
  name,
  points: [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995].map(
    (share) => [100 * share, quantile(values, share)] as const,
  ),
});

async function run(cleanup: Cleanup): Promise<Result> {
  const place = await openPlace(FUNCTIONS, cleanup);
  const orders = new Map<string, Times>();
  const doubled: string[] = [];
  const note = (step: Step) => (orderId: string) => {
    const times = orders.get(orderId);
    if (times?.[step] !== undefined) doubled.push(`${step} of order ${orderId}`);
    if (times) times[step] = performance.now() - times.sentAt;
  };
  const url = await startShop(place, await openMailServer(cleanup, note('mail')), cleanup);
  await watchRows(place, cleanup, note('row'));
  const order = await openOrders(url, orders, cleanup);
  const bare = await openBare(place);
  const took: number[] = [];
  const both = async (): Promise<void> => {
    const began = performance.now();
    await bare();
    took.push(performance.now() - began);
    await order();
  };
  await atRate(WARM_UP, both);
  await checked(orders, doubled);
  await place.database.query('analyze');
  orders.clear();
  took.length = 0;
  await atRate(ORDERS, both);
  const times = await checked(orders, doubled);
  const of = (step: Step): number[] => times.map((one) => one[step] ?? Number.NaN);
  const series = [
    toPlot('bare insert and publish', took),
    toPlot('201', of('answer')),
    toPlot('row', of('row')),
    toPlot('e-mail', of('mail')),
  ];
  const x = { label: 'per cent of the orders' };
  const y = { label: 'ms', logarithmic: true };
  return {
    rows: rowsOf(times, took),
    plots: [{ name: 'warm-latency', title: `Orders at ${PER_SECOND} a second through HTTP`, x, y, series }],
    notes: [
      'Nothing trades durability: Postgres with fsync and synchronous_commit, JetStream with sync_interval: always. ' +
        'Each order had one answer, one row and one e-mail. A trigger tells when a row is committed; nothing is recorded.',
    ],
  };
}

export const warmLatency: Part = {
  name: 'warm-latency',
  about: 'How long an order takes through the HTTP edge to its answer, its row and its e-mail, at a steady rate',
  run,
};
