/** `npm run bench -- calls`: calls to user-service a second, over gRPC and over plain HTTP with JSON, same handlers, same run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { UserServiceService as methods } from '../../../../functions/gen/millrace/users/v1/users.ts';
import type { AnyMethod, RequestOf, ResponseOf } from '../../../../functions/runtime/grpc/methods.ts';
import { ANY_PORTS, type Platform, startPlatform } from '../../../platform/platform.ts';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { pathsOf } from '../../../platform/servers/data-folder.ts';
import { natsKeysFolder } from '../../../platform/servers/nats/nats-keys.ts';
import { seedFileOf } from '../../../platform/servers/nats/seeds.ts';
import { dataDirFor } from '../../../platform/servers/postgres/postgres.ts';
import { application } from '../../demo/application.ts';
import type { Demo } from '../../demo/seed.ts';
import { signingKeyFile } from '../../signing-key/file.ts';
import { load } from '../load/load.ts';
import type { Part, Result, Row } from '../part.ts';

type Call = <Method extends AnyMethod>(method: Method, request: RequestOf<Method>) => Promise<ResponseOf<Method>>;
type Way = { readonly call: Call; close(): Promise<void> };

const FOR_MS = 3_000;
/** Users are looked up as by a function that may. */
const CALLER = { 'millrace-function': 'order-emails' };

const same = (bytes: Buffer): Buffer => bytes;

function overGrpc(address: string): Way {
  const client = new Client(address, credentials.createInsecure());
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(CALLER)) metadata.set(name, value);
  const call: Call = (method, request) =>
    new Promise((resolve, reject) => {
      const bytes = method.requestSerialize(request as never);
      const deadline = Date.now() + 10_000;
      client.makeUnaryRequest(method.path, same, same, bytes, metadata, { deadline }, (error, answer) =>
        answer ? resolve(method.responseDeserialize(answer) as never) : reject(error),
      );
    });
  return { call, close: async () => client.close() };
}

async function overHttp(environment: Readonly<Record<string, string>>): Promise<Way> {
  const server = spawn(process.execPath, [path.join(import.meta.dirname, '../load/http-json.ts')], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(server.stdout, 'data');
  const agent = new http.Agent({ keepAlive: true });
  const call: Call = async (method, request) => {
    const sent = http.request({
      port: Number(String(port)),
      path: method.path,
      method: 'POST',
      headers: CALLER,
      agent,
    });
    sent.end(JSON.stringify(request));
    const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
    const body = await text(response);
    if (response.statusCode !== 200) throw new Error(`${method.path} over HTTP: ${body}`);
    return JSON.parse(body);
  };
  return {
    call,
    async close() {
      agent.destroy();
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
  };
}

type Case = { readonly name: string; readonly inFlight: number; make(call: Call): () => Promise<unknown> };

async function cases(call: Call): Promise<Case[]> {
  const password = 'no cheaper than it must be';
  const users = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      call(methods.createUser, { email: `bench${index}@example.com`, password, userId: '', name: '' }),
    ),
  );
  const userId = users[0]?.userId ?? '';
  const { accessToken } = await call(methods.authenticate, { email: 'bench0@example.com', password });
  let turn = 0;
  const login = () => {
    turn += 1;
    return { email: `bench${turn % users.length}@example.com`, password };
  };
  const both = (name: string, make: Case['make']): Case[] => [1, 32].map((inFlight) => ({ name, inFlight, make }));
  return [
    ...both('GetSigningKeys (no I/O)', (by) => () => by(methods.getSigningKeys, {})),
    ...both('GetUser (one query)', (by) => () => by(methods.getUser, { userId })),
    ...both('ValidateToken (signature, one query)', (by) => () => by(methods.validateToken, { accessToken })),
    { name: 'Authenticate (argon2id)', inFlight: 4, make: (by) => () => by(methods.authenticate, login()) },
  ];
}

async function compare(shop: Platform<Demo>, dataDir: string): Promise<Row[]> {
  const ways: Way[] = [];
  const rows: Row[] = [];
  const { secrets } = pathsOf(dataDir);
  try {
    const grpc = overGrpc(shop.endpoints.grpc);
    ways.push(grpc);
    const plain = await overHttp({
      DATABASE_URL: shop.endpoints.postgres,
      // As user-service has it.
      DATABASE_CONNECTIONS: '4',
      NATS_URL: shop.endpoints.nats,
      NATS_SEED_FILE: seedFileOf(natsKeysFolder(secrets), 'user-service'),
      SIGNING_KEY_FILE: await signingKeyFile(secrets),
    });
    ways.push(plain);
    for (const { name, inFlight, make } of await cases(grpc.call)) {
      const http = await load(make(plain.call), inFlight, FOR_MS);
      const unary = await load(make(grpc.call), inFlight, FOR_MS);
      const what = `${name}, ${inFlight} in flight, over gRPC`;
      const over = { what: 'plain HTTP with JSON' };
      rows.push(
        { what, value: unary.perSecond, unit: 'calls/s', baseline: { ...over, value: http.perSecond } },
        { what: `${what}, p50`, value: unary.p50Ms, unit: 'ms', baseline: { ...over, value: http.p50Ms } },
        { what: `${what}, p99`, value: unary.p99Ms, unit: 'ms', baseline: { ...over, value: http.p99Ms } },
      );
    }
    return rows;
  } finally {
    for (const way of ways.reverse()) await way.close();
  }
}

async function run(cleanup: Cleanup): Promise<Result> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'millrace-bench-'));
  cleanup.add('folder', () => rm(dataDir, { recursive: true, force: true }));
  cleanup.add('folder of Postgres', () =>
    rm(dataDirFor(path.join(dataDir, 'postgres')), { recursive: true, force: true }),
  );
  const shop = await startPlatform(application, { dataDir, ports: ANY_PORTS });
  cleanup.add('shop', async () => void (await shop.stop()));
  return { rows: await compare(shop, dataDir) };
}

export const calls: Part = {
  name: 'calls',
  about: 'calls to user-service a second, over gRPC and over plain HTTP with JSON, same handlers',
  run,
};
