/** The whole shop as `npm start` runs it, with empty data, a customer who orders, and a mail server as slow as is told. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { SMTPServer } from 'smtp-server';
import type { Rule } from '../../../manifests/rules.ts';
import { ANY_PORTS, type Platform, startPlatform } from '../../../platform/platform.ts';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { dataDirFor } from '../../../platform/servers/postgres/postgres.ts';
import { type Client, openClient, post } from '../../chaos/client.ts';
import type { Answer } from '../../chaos/snapshot.ts';
import { application } from '../../demo/application.ts';
import type { Demo } from '../../demo/seed.ts';

export type Shop = Platform<Demo> & {
  readonly database: pg.Pool;
  readonly client: Client;
  /** Tries until it is answered; the answer, with when it was first sent. */
  order(): Promise<Answer>;
  /** GET of an order that may yet have to come, as its customer; tries until it is shown. */
  read(orderId: string): Promise<void>;
  readonly mail: Mail;
};
/** `confirmations`: the Message-IDs of those of orders, one each time that an e-mail was taken. */
export type Mail = { readonly url: string; become(msEach: number): void; confirmations(): readonly string[] };
type Options = {
  readonly environment?: Readonly<Record<string, string>>;
  readonly ruleOf?: (rule: Rule) => Rule;
};

async function openMail(cleanup: Cleanup): Promise<Mail> {
  const confirmations: string[] = [];
  let msEach = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    async onData(stream, _session, done) {
      const mail = await text(stream).catch(() => undefined);
      if (mail === undefined) return done(new Error('cut off'));
      await delay(msEach, undefined, { ref: false });
      const [, id] = /^message-id:\s*<([^>]*\.order-confirmation@[^>]*)>/im.exec(mail) ?? [];
      if (id) confirmations.push(id);
      done();
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  cleanup.add('mail server', () => new Promise<void>((resolve) => server.close(() => resolve())));
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    become(ms) {
      msEach = ms;
    },
    confirmations: () => confirmations,
  };
}

export async function openShop(cleanup: Cleanup, { environment = {}, ruleOf }: Options = {}): Promise<Shop> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'millrace-bench-'));
  cleanup.add('folder', async () => {
    await rm(dataDirFor(path.join(dataDir, 'postgres')), { recursive: true, force: true });
    await rm(dataDir, { recursive: true, force: true });
  });
  const mail = await openMail(cleanup);
  const given = { SMTP_URL: mail.url, ...environment };
  const platform = await startPlatform(application, {
    dataDir,
    ports: ANY_PORTS,
    environment: given,
    ...(ruleOf ? { ruleOf } : {}),
  });
  cleanup.add('shop', async () => void (await platform.stop()));
  const database = new pg.Pool({ connectionString: platform.endpoints.postgres, max: 4 });
  database.on('error', () => undefined);
  cleanup.add('connections', () => database.end());
  await database.query(`insert into products values ('bench', 'Mug', 1250, 'EUR', 2000000000)`);

  const { http } = platform.endpoints;
  const session = await post(`${http}/v1/sessions`, platform.demo.customer, {});
  if (session?.status !== 201) throw new Error(`nobody can sign in: ${JSON.stringify(session)}`);
  const { accessToken } = session.body as { accessToken: string };
  const ended = new AbortController();
  cleanup.add('requests', () => ended.abort());
  const client = openClient(http, ended.signal);
  const body = { lines: [{ sku: 'bench', quantity: 1 }] };
  return {
    ...platform,
    database,
    client,
    mail,
    async order() {
      const key = randomUUID();
      const answer = await client.send({
        key,
        what: 'orders',
        path: '/v1/orders',
        body,
        token: async () => accessToken,
      });
      if (answer?.status !== 201) throw new Error(`an order was answered with ${JSON.stringify(answer)}`);
      return answer;
    },
    async read(orderId) {
      const headers = { authorization: `Bearer ${accessToken}`, prefer: 'wait=20' };
      const get = async (): Promise<boolean> => {
        const response = await fetch(`${http}/v1/orders/${orderId}`, { headers, signal: AbortSignal.timeout(30_000) });
        await response.arrayBuffer();
        return response.ok;
      };
      await untilTrue('an order to be read', () => get().catch(() => false));
    },
  };
}

/** Throws when it has not come to be after so long. */
export async function untilTrue(
  what: string,
  isSo: () => Promise<boolean> | boolean,
  everyMs = 50,
  mostMs = 90_000,
): Promise<void> {
  const end = Date.now() + mostMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`${what} had not come to be after ${mostMs / 1_000} s`);
    await delay(everyMs);
  }
}
