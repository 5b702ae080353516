/** `npm run bench -- reads`: GET an order and a page of them from queries-api at a million orders, against the bare queries. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { ALGORITHM, PARTY, TYPE } from '../../../../functions/users/access-token.ts';
import { keepKeySet } from '../../../../functions/users/kept-keys.ts';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import type { Job } from '../load/http-load.ts';
import type { Measured } from '../load/load.ts';
import { CUSTOMERS, customerIdOf, orderIdOf, seedOrders } from '../load/seed-orders.ts';
import { openPlace, type Place } from '../measure/place.ts';
import { cpuOf } from '../measure/usage.ts';
import type { Part, Result, Row } from '../part.ts';
import { median } from '../quantile.ts';

const FUNCTION = 'queries-api';
const ORDERS = 1_000_000;
const SIGNED_IN = 100;
const REQUESTS = 5_000;
const IN_FLIGHT = 16;
const ROUNDS = 7;
const FOR_MS = 1_200;

type Tokens = readonly string[];

/** Tokens of customers 0 to SIGNED_IN, whose key is where a function finds it while user-service is away. */
async function signIn({ database }: Place): Promise<Tokens> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM, { crv: 'Ed25519' });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  await keepKeySet(database, JSON.stringify({ keys: [{ ...jwk, kid, alg: ALGORITHM, use: 'sig' }] }));
  const sign = (number: number): Promise<string> =>
    new SignJWT({ role: 'customer', sid: orderIdOf(number) })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
      .setIssuer(PARTY)
      .setAudience(PARTY)
      .setSubject(customerIdOf(number))
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey);
  return Promise.all(Array.from({ length: SIGNED_IN }, (_, number) => sign(number)));
}

type Server = { readonly port: number; readonly pid: number };

async function start(
  what: string,
  environment: Readonly<Record<string, string>>,
  file: string,
  cleanup: Cleanup,
): Promise<Server> {
  const child: ChildProcess = spawn(process.execPath, [file], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanup.add(what, async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  if (!child.stdout) throw new Error(`${what} has no output`);
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { msg?: string; port?: number };
    if (said.msg === 'listening' && said.port) return { port: said.port, pid: child.pid ?? 0 };
  }
  throw new Error(`${what} did not listen`);
}

async function loadFrom(job: Job): Promise<Measured> {
  const file = path.join(import.meta.dirname, '../load/http-load.ts');
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(job));
  const said = await text(child.stdout);
  if (said === '') throw new Error('the load generator failed');
  return JSON.parse(said) as Measured;
}

const randomBelow = (limit: number): number => Math.floor(Math.random() * limit);

const request = (target: string, token: string, customer: number): string =>
  `GET ${target} HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer ${token}\r\ncustomer: ${customerIdOf(customer)}\r\n\r\n`;

const KINDS = {
  'GET an order': (token: string, customer: number) =>
    request(`/v1/orders/${orderIdOf(randomBelow(ORDERS / CUSTOMERS) * CUSTOMERS + customer)}`, token, customer),
  'GET a page of 20': (token: string, customer: number) => request('/v1/orders', token, customer),
};

type Cost = Measured & { readonly cpuMs: number };

/** `cpuMs` is the CPU that the server takes for a request. */
async function costOf({ port, pid }: Server, requests: readonly string[]): Promise<Cost> {
  const before = cpuOf(pid) ?? 0;
  const measured = await loadFrom({ port, requests, inFlight: IN_FLIGHT, forMs: FOR_MS });
  const cpuSeconds = (cpuOf(pid) ?? 0) - before;
  return { ...measured, cpuMs: (1_000 * cpuSeconds) / (measured.perSecond * (FOR_MS / 1_000)) };
}

async function compare(what: string, requests: readonly string[], ours: Server, raw: Server): Promise<Row[]> {
  const measured: { readonly ours: Cost; readonly raw: Cost }[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    measured.push({ raw: await costOf(raw, requests), ours: await costOf(ours, requests) });
  const of = (side: 'ours' | 'raw', value: keyof Cost): number => median(measured.map((one) => one[side][value]));
  const row = (suffix: string, unit: string, value: keyof Cost): Row => ({
    what: `${what}${suffix}`,
    value: of('ours', value),
    unit,
    baseline: { what: 'the bare query', value: of('raw', value) },
  });
  return [
    { ...row('', 'requests/s', 'perSecond'), reach: { is: 'at least', ratio: 0.7 } },
    row(`, p99 with ${IN_FLIGHT} in flight`, 'ms', 'p99Ms'),
    row(', CPU of the server a request', 'ms', 'cpuMs'),
  ];
}

async function run(cleanup: Cleanup): Promise<Result> {
  const place = await openPlace([FUNCTION], cleanup);
  await seedOrders(place.database, 0, ORDERS, false);
  const tokens = await signIn(place);
  const environment = { ...place.environment, USER_SERVICE_ADDRESS: '127.0.0.1:1', DATABASE_CONNECTIONS: '8' };
  const ours = await start(FUNCTION, { ...environment, LOG_LEVEL: 'info' }, place.bundleOf(FUNCTION), cleanup);
  const raw = await start(
    'the bare query',
    environment,
    path.join(import.meta.dirname, '../load/raw-reads.ts'),
    cleanup,
  );
  const rows: Row[] = [];
  for (const [what, make] of Object.entries(KINDS)) {
    const requests = Array.from({ length: REQUESTS }, (_, turn) =>
      make(tokens[turn % SIGNED_IN] ?? '', turn % SIGNED_IN),
    );
    rows.push(...(await compare(`${what}, at a million orders`, requests, ours, raw)));
  }
  return {
    rows,
    notes: [`${SIGNED_IN} customers with signed tokens, spans not recorded; server, Postgres and load share the cores`],
  };
}

export const reads: Part = {
  name: 'reads',
  about: 'requests a second and p99 of queries-api at a million orders, against the bare queries behind node:http',
  run,
};
