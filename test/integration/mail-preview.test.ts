import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { millrace } from '../support/millrace.ts';

let folder: string;
let browser: Browser;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-mail-'));
  browser = await openBrowser();
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Of `rgb(r, g, b)`, from 0 to 1. */
const brightness = (colour: string): number =>
  (colour.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / (3 * 255);

type Seen = {
  readonly scrollWidth: number;
  readonly clientWidth: number;
  readonly background: string;
  readonly text: string;
};

/** The look of the confirmation on a phone 360 px wide. */
async function look(colorScheme: 'light' | 'dark') {
  const page = await browser.newPage({ viewport: { width: 360, height: 740 }, colorScheme });
  await page.goto(pathToFileURL(path.join(folder, 'order-confirmation.de.html')).href);
  // As text: what runs in the browser has other types.
  const seen: Seen = await page.evaluate(`(() => {
    const { backgroundColor, color } = getComputedStyle(document.querySelector('main'));
    const { scrollWidth, clientWidth } = document.documentElement;
    return { scrollWidth, clientWidth, background: backgroundColor, text: color };
  })()`);
  const picture = await page.screenshot({ path: path.join(folder, `${colorScheme}.png`), fullPage: true });
  await page.close();
  return { ...seen, picture };
}

test('the confirmation fits a phone, and is dark where its reader has it dark', async () => {
  const { said } = millrace('mail', 'preview', '--out', folder, '--locale', 'de', 'order-confirmation');
  expect(said.trim()).toBe(path.join(folder, 'index.html'));
  const [light, dark] = [await look('light'), await look('dark')];
  for (const { scrollWidth, clientWidth, picture } of [light, dark]) {
    expect(scrollWidth).toBe(clientWidth);
    expect(picture.length).toBeGreaterThan(5_000);
  }
  expect(brightness(light.background)).toBeGreaterThan(0.9);
  expect(brightness(light.text)).toBeLessThan(0.3);
  expect(brightness(dark.background)).toBeLessThan(0.15);
  expect(brightness(dark.text)).toBeGreaterThan(0.7);
}, 60_000);

test.each([
  [['mail'], 'needs to know what'],
  [['mail', 'preview', 'order-lost'], "there is no template 'order-lost'"],
  [['mail', 'preview', '--locale', 'xx'], "there are no e-mails in 'xx'"],
])('millrace %j says what is wrong', (args, message) => {
  expect(millrace(...args)).toMatchObject({ status: 2, said: expect.stringContaining(message) });
});
