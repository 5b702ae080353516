import path from 'node:path';
import { expect, test } from 'vitest';
import accountEmails from '../../functions/notifications/account-emails/function.ts';
import { LOCALES } from '../../functions/notifications/locale.ts';
import { OPTIONAL } from '../../functions/notifications/optional.ts';
import orderEmails from '../../functions/notifications/order-emails/function.ts';
import { EXAMPLES } from './examples.ts';
import { previewFiles } from './preview.ts';

const all = EXAMPLES.flatMap(({ template, write }) =>
  LOCALES.map((locale) => ({ template, locale, ...write(locale) })),
);

test.each(all)('$template in $locale reads as its file says', async ({ template, locale, subject, text }) => {
  const file = path.join(import.meta.dirname, 'expected', `${template}.${locale}.txt`);
  await expect(`${subject}\n\n${text}`).toMatchFileSnapshot(file);
});

test.each(all)('$template in $locale says the same in HTML as in text', ({ text, html }) => {
  const unescaped = (shown: string): string =>
    shown.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&');
  const shown = unescaped(html);
  for (const line of text.split('\n'))
    for (const part of line.replace(/:$/, '').split('  ')) expect(shown).toContain(part);
  expect(html).not.toContain('<table');
});

test('what a sender of an event wrote is text, and no HTML', () => {
  const { html } = EXAMPLES.find(({ template }) => template === 'order-confirmation')?.write('en') ?? { html: '' };
  expect(html).toContain('&quot;Anna &amp; Söhne&quot;');
});

test('links of e-mails stand on lines of their own, and no subject has a secret in it', () => {
  for (const { text, subject } of all) {
    for (const line of text.split('\n').filter((one) => one.includes('https:'))) expect(line).toMatch(/^https:\S+$/);
    expect(subject).not.toMatch(/secret|http/);
  }
});

test('every template has an example, and the optional ones alone can be done without', () => {
  expect(EXAMPLES).toHaveLength(orderEmails.consumes.length + accountEmails.consumes.length);
  const muted = all.filter(({ html }) => html.includes('/unsubscriptions/')).map(({ template }) => template);
  expect([...new Set(muted)].sort()).toEqual([...OPTIONAL].sort());
});

test('a preview of one template in one language is that, and an index', () => {
  const files = previewFiles(['de'], ['order-shipped']);
  expect(files.map(({ name }) => name)).toEqual(['index.html', 'order-shipped.de.html', 'order-shipped.de.txt']);
});
