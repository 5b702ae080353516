/** A shop of its own under a small load → pictures of its console for the README, one light and one dark. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { orders } from '../../../functions/orders/order.ts';
import { newId } from '../../../functions/runtime/ids.ts';
import { openBrowser } from '../../../test/support/browser.ts';
import { ANY_PORTS, type Platform, startPlatform } from '../../platform/platform.ts';
import { dataDirFor } from '../../platform/servers/postgres/postgres.ts';
import { application } from '../demo/application.ts';
import type { Demo } from '../demo/seed.ts';

const FOLDER = import.meta.dirname;
const SIZE = { width: 1280, height: 800 };
/** Long enough for functions to have slept and woken a few times. */
const LOAD_MS = 75_000;
/** Within the load, while something is to be seen. */
const PICTURE_AT_MS = 60_000;
const PAUSES_MS = [200, 1_400, 300, 6_000, 250, 9_000];

type Call = (path: string, body: object, token?: string) => Promise<Record<string, string>>;

const callsTo =
  (shop: string): Call =>
  async (at, body, token) => {
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': newId(),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    };
    const answer = await fetch(`${shop}${at}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await answer.json()) as Record<string, string>;
  };

const LINES = [
  [
    { sku: 'mug', quantity: 2 },
    { sku: 'tea', quantity: 1 },
  ],
  [{ sku: 'tea', quantity: 3 }],
  [{ sku: 'mug', quantity: 1 }],
];

/** Orders that are paid, of which some are shipped; gives the id of one that went all the way. */
async function shopAWhile({ demo, endpoints }: Platform<Demo>): Promise<string> {
  const call = callsTo(endpoints.http);
  const [customer, staff] = await Promise.all(
    [demo.customer, demo.staff].map(
      async ({ email, password }) => (await call('/v1/sessions', { email, password })).accessToken,
    ),
  );
  const buy = async (turn: number): Promise<string> => {
    const { orderId = '' } = await call('/v1/orders', { lines: LINES[turn % 3], shippingCountry: 'NL' }, customer);
    await call(`/v1/orders/${orderId}/payments`, { token: turn % 4 === 3 ? 'tok_declined' : 'tok_ok' }, customer);
    if (turn % 4 !== 3)
      await call(`/v1/orders/${orderId}/shipments`, { carrier: 'Post', trackingNumber: `NL-${turn}` }, staff);
    return orderId;
  };
  const end = Date.now() + LOAD_MS;
  let whole = '';
  for (let turn = 0; Date.now() < end; turn += 1) {
    const orders = await Promise.all(Array.from({ length: 1 + (turn % 5) }, (_, index) => buy(turn * 5 + index)));
    whole = orders.find((_, index) => (turn * 5 + index) % 4 !== 3) ?? whole;
    await delay(PAUSES_MS[turn % PAUSES_MS.length]);
  }
  return whole;
}

async function picture(browser: Browser, url: string, colorScheme: 'light' | 'dark', ready: string): Promise<void> {
  const page = await browser.newPage({ viewport: SIZE, colorScheme });
  await page.goto(url);
  await page.locator(ready).first().waitFor();
  // Charts are drawn when they have their place.
  await delay(1_500);
  await writeFile(path.join(FOLDER, `${colorScheme}.png`), await page.screenshot());
  await page.close();
}

const dataDir = await mkdtemp(path.join(os.tmpdir(), 'millrace-screenshots-'));
const platform = await startPlatform(application, { dataDir, ports: ANY_PORTS, progress: (line) => console.log(line) });
const browser = await openBrowser();
try {
  console.log(`orders come for ${LOAD_MS / 1_000} s`);
  const shopping = shopAWhile(platform);
  const page = `${platform.endpoints.http}/console`;
  await delay(PICTURE_AT_MS);
  await picture(browser, `${page}#/functions`, 'light', '.function .badge.good');
  await picture(browser, `${page}#/aggregates/${orders.name}/${await shopping}`, 'dark', '.waterfall');
  console.log(`written to ${path.relative(process.cwd(), FOLDER)}`);
} finally {
  await browser.close();
  await platform.stop();
  await rm(dataDirFor(path.join(dataDir, 'postgres')), { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}
