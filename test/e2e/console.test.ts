import { createServer, get } from 'node:http';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../functions/runtime/ids.ts';
import { natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import { openHistory } from '../../scripts/platform/console/history.ts';
import { openLive } from '../../scripts/platform/console/live.ts';
import { buildPages } from '../../scripts/platform/console/pages.ts';
import { ANY_PORTS } from '../../scripts/platform/platform.ts';
import { OPERATOR } from '../../scripts/registry/nats-users/permissions.ts';
import { openBrowser } from '../support/browser.ts';
import { testShell } from '../support/shell.ts';
import { type Shop, sleepsSoon, startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

const MOST_FIRST_PAINT_BYTES = 100_000;

const ASLEEP = { ...{ kind: 'command', replicas: 0, ready: 0, lag: 0, pending: 0 }, ...{ rate: null, min: 0, max: 1 } };

let shop: Awaited<ReturnType<typeof startShop>>;
let browser: Browser;
let page: Page;
let token: string;
/** What a page has complained of. */
let complaints: string[];

/** One that works on a page of its own: a phone, or a reader in the dark. */
async function openPage(options: BrowserContextOptions = {}): Promise<Page> {
  const opened = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  opened.setDefaultTimeout(20_000);
  opened.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  opened.on('pageerror', (error) => complaints.push(error.message));
  return opened;
}

const show = async (on: Page, hash: string): Promise<void> => {
  await on.goto(`${shop.endpoints.http}/console#/${hash}`);
  await on.locator('main h1').waitFor();
};

const order = async (): Promise<string> => {
  const lines = [{ sku: 'tea', quantity: 1 }];
  const { body } = await shop.call('POST', '/v1/orders', {
    token,
    body: { lines },
    headers: { 'idempotency-key': newId() },
  });
  return body.orderId;
};

/** What is answered to who comes by another name of this machine, which fetch cannot do. */
const statusAs = (host: string, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const asked = get(`${shop.endpoints.http}${path}`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', reject);
  });

/** A command that no handler can ever take, sent past the API. */
async function plantDeadLetter({ endpoints, natsKey }: Shop): Promise<void> {
  const { shell, close } = testShell(
    natsSettings,
    { NATS_URL: endpoints.nats, NATS_SEED_FILE: natsKey },
    OPERATOR.name,
  );
  const bus = await openBus(shell);
  await bus.publish('command.order.create', JSON.stringify({ customerId: newId(), lines: [] }), {}, newId());
  await close();
}

beforeAll(async () => {
  const started = startShop({}, undefined, { ports: ANY_PORTS, ruleOf: sleepsSoon });
  [shop, browser] = await Promise.all([started, openBrowser()]);
  complaints = [];
  page = await openPage();
  token = await shop.signUp();
});

afterAll(async () => {
  await browser?.close();
  await shop?.end();
});

test('what is fetched for the first paint is below 100 KB, and nothing may come from elsewhere or inline', async () => {
  const pages = await buildPages();
  const bytes = [...pages.values()].reduce((sum, { gzipped }) => sum + gzipped.length, 0);
  expect(bytes).toBeLessThan(MOST_FIRST_PAINT_BYTES);
  const { headers } = await fetch(`${shop.endpoints.http}/console`);
  expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
});

test('functions are seen to wake for an order, and to sleep again', async () => {
  await show(page, 'functions');
  const row = page.locator('.function', { hasText: 'create-order' });
  await row.locator('.badge', { hasText: 'asleep' }).waitFor();
  await order();
  await row.locator('.badge', { hasText: 'awake' }).waitFor();
  await row.locator('.badge', { hasText: 'asleep' }).waitFor({ timeout: 40_000 });
  await row.getByRole('link', { name: 'create-order' }).click();
  await page.getByText('It sleeps until there is something to do.').waitFor();
});

test('an order is opened, and the slider goes back to how it was; its trace and its e-mail are there', async () => {
  const orderId = await order();
  await shop.call('POST', `/v1/orders/${orderId}/payments`, {
    token,
    body: { token: 'tok_ok' },
    headers: { 'idempotency-key': newId() },
  });
  await show(page, 'aggregates/order');
  await page.getByRole('link', { name: `Order …${orderId.slice(-8)}` }).click();
  const paid = page.locator('.badges', { hasText: 'paid' });
  await paid.waitFor();
  const changes = page.getByRole('row', { name: /^paymentStatus/ });
  expect(await changes.textContent()).toBe('paymentStatus"pending""paid"');

  await page.getByRole('slider', { name: 'Version' }).press('ArrowLeft');
  await page.getByRole('heading', { name: 'As it was at version 1' }).waitFor();
  expect(await page.locator('.badges').textContent()).toContain('pending');

  await page.getByText('As JSON').click();
  await page.getByText('Data of order.created').waitFor();
  expect(await page.locator('details pre').last().textContent()).toContain(`"orderId": "${orderId}"`);

  await page.getByRole('row', { name: /process command.order.pay/ }).waitFor();
  await page.getByRole('link', { name: `Your order ${orderId}` }).click();
  const mail = page.getByRole('article').locator('iframe');
  await mail.contentFrame().getByRole('heading', { name: 'Thank you for your order' }).waitFor();
  // Whatever is in it, it can do nothing, shown here or opened by itself.
  expect(await mail.getAttribute('sandbox')).toBe('');
  const { headers } = await fetch(`${shop.endpoints.http}${await mail.getAttribute('src')}`);
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none';.* sandbox;/);
});

test('a dead letter is sent again once it is confirmed, and the result is said', async () => {
  await plantDeadLetter(shop);
  await show(page, 'dead-letters');
  await page.getByRole('link', { name: 'Dead letter 1' }).click();
  await page.getByText('lines: Too small').first().waitFor();
  await page.getByRole('button', { name: 'Redrive' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  expect((await shop.call('GET', '/_local/functions')).status).toBe(200);
  await page.getByRole('button', { name: 'Redrive' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('status').filter({ hasText: 'Dead letter 1 was sent again to create-order.' }).waitFor();
  // It cannot be handled now either.
  await page.getByRole('link', { name: 'Dead letter 2' }).waitFor();
  expect(await page.getByRole('link', { name: 'Dead letter 1' }).count()).toBe(0);
});

test('a rule is tried in the playground, beside that of today, and a wrong value is named', async () => {
  await show(page, 'playground/create-order');
  const peak = page.getByRole('row', { name: /^Most replicas/ });
  await peak.waitFor();
  await page.getByRole('spinbutton', { name: 'Handler takes' }).fill('200');
  await page.getByRole('spinbutton', { name: 'At most' }).fill('1');
  await until('fewer replicas', async () => (await peak.textContent()) === 'Most replicas41−75 %');
  await page.getByRole('spinbutton', { name: 'Lag threshold' }).fill('0');
  await page.getByText('Lag threshold: a whole number from 1 to 1,000,000').waitFor();
});

test('what there is not is said so, in words', async () => {
  await show(page, 'functions/no-such');
  await page.getByText('There is no function no-such').waitFor();
  await show(page, 'nowhere/at/all');
  await page.getByRole('heading', { name: 'Nothing is here' }).waitFor();
});

test('who is not the console itself cannot redrive, and no foreign name leads to it', async () => {
  const ask = (path: string, headers: Record<string, string>, method = 'POST') =>
    fetch(`${shop.endpoints.http}/console/api/${path}`, { method, headers });
  const origin = shop.endpoints.http;
  const of = async (answer: Promise<Response>) => ((await (await answer).json()) as { slug: string }).slug;
  expect(await of(ask('dead-letters/2/redrive', {}))).toBe('foreign-origin');
  expect(await of(ask('dead-letters/2/redrive', { origin: 'http://evil.example' }))).toBe('foreign-origin');
  expect(await of(ask('dead-letters/2/redrive', { origin, 'sec-fetch-site': 'same-site' }))).toBe('foreign-site');
  expect(await of(ask('dead-letters/two/redrive', { origin }))).toBe('invalid-data');
  expect(await of(ask('dead-letters/77/discard', { origin }))).toBe('no-such-dead-letter');
  expect(await of(ask('aggregates/order', { origin }))).toBe('method-not-allowed');
  expect(await of(ask('aggregates/order/1', {}, 'GET'))).toBe('invalid-data');
  expect(await of(ask(`aggregates/order/${newId()}`, {}, 'GET'))).toBe('no-such-stream');
  for (const path of ['aggregates/widget', `aggregates/widget/${newId()}`, `aggregates/widget/${newId()}/trace`])
    expect(await of(ask(path, {}, 'GET')), path).toBe('no-such-aggregate');
  for (const path of ['/console', '/console/api/mails', '/_local/mail', '/_local/traces'])
    expect(await statusAs('evil.example', path), path).toBe(403);
});

test.each([
  ['light', 1280, ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice']],
  ['dark', 360, ['color-contrast']],
] as const)(
  'in the %s at %d px nothing is cut off, unnamed or too faint',
  { timeout: 90_000 },
  async (colorScheme, width, rules) => {
    const seen = await openPage({ viewport: { width, height: 800 }, colorScheme });
    const { streams } = (await shop.call('GET', '/console/api/aggregates/order')).body;
    const { mails } = (await shop.call('GET', '/console/api/mails')).body;
    const one = `aggregates/order/${streams[0].id}`;
    const views = ['functions', 'functions/create-order', 'aggregates/order', one, 'dead-letters'];
    for (const view of [...views, 'dead-letters/2', 'mailbox', `mailbox/${mails[0].id}`, 'playground']) {
      await show(seen, view);
      await until(`${view} to be loaded`, async () => (await seen.getByText('Loading…').count()) === 0);
      const beyond = await seen.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(beyond, `${view} at ${width} px`).toBeLessThanOrEqual(0);
      // Past the policy of the page, which a test's script is not part of.
      const { violations } = (await seen.evaluate(
        `${axe.source}; axe.run({ runOnly: ${JSON.stringify(rules)}, iframes: false })`,
      )) as {
        violations: { id: string; nodes: { html: string }[] }[];
      };
      expect(violations.map(({ id, nodes }) => `${view}: ${id} ${nodes[0]?.html}`)).toEqual([]);
    }
    await seen.close();
  },
);

test('by keyboard alone one gets from the top to an order, and to another version of it', async () => {
  await show(page, 'aggregates/order');
  await page.reload();
  await page.locator('tbody tr').first().waitFor();
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('slider', { name: 'Version' }).waitFor();
  await page.locator('h1:focus', { hasText: 'Order' }).waitFor();
});

test('the names in the bar stay where they are when another one is chosen', async () => {
  const places = () =>
    page.getByRole('navigation').getByRole('link').evaluateAll('links => links.map((one) => one.offsetLeft)');
  const before = await places();
  await page.getByRole('navigation').getByRole('link', { name: 'Functions' }).click();
  await page.locator('.function').first().waitFor();
  expect(await places()).toEqual(before);
});

test('no page has complained', () => {
  expect(complaints).toEqual([]);
});

test('a shop that stops ends the live stream, the page says so, and is live again once there is one', async () => {
  await show(page, 'functions');
  await page.locator('.connection.live').waitFor();
  await shop.stop();
  await page.getByText('disconnected, trying again').waitFor();
  const functions = openHistory();
  functions.add([{ ...ASLEEP, name: 'begun-anew' }]);
  const counts = async () => ({ deadLetters: 0, mails: 0 });
  const live = openLive({ history: functions, functions: functions.now, counts });
  const server = createServer((_, response) => live.listen(response)).listen(shop.ports.http, '127.0.0.1');
  await page.locator('.function', { hasText: 'begun-anew' }).waitFor();
  expect(await page.locator('.connection').textContent()).toBe('live');
  live.close();
  server.close();
});
