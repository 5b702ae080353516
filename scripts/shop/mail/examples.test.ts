import path from 'node:path';
import { expect, test } from 'vitest';
import accountEmails from '../../../functions/notifications/account-emails/function.ts';
import { button, note, paragraph, textOf } from '../../../functions/notifications/content.ts';
import { htmlOf } from '../../../functions/notifications/html.ts';
import { LOCALES } from '../../../functions/notifications/locale.ts';
import { OPTIONAL } from '../../../functions/notifications/optional.ts';
import orderEmails from '../../../functions/notifications/order-emails/function.ts';
import { orderConfirmation } from '../../../functions/notifications/order-emails/order-confirmation.ts';
import { EXAMPLES, order } from './examples.ts';
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
  const at = shown.indexOf('<h1>');
  const places = text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => line.replace(/:$/, '').split('  '))
    .map((part) => ({ part, found: shown.includes(part, at) }));
  expect(places.filter(({ found }) => !found)).toEqual([]);
  const words = (all: string): string[] => all.match(/\p{L}{2,}/gu) ?? [];
  const [said, read] = [words(text.replaceAll(/https:\S+/g, '')), words(shown.slice(at).replaceAll(/<[^>]*>/g, ' '))];
  expect(read).toEqual(said);
  expect(html).not.toContain('<table');
});

test('what anybody wrote is text, and no HTML, wherever it stands', () => {
  const evil = `<b onclick='x'>&"`;
  const line = { label: evil, value: evil };
  const blocks = [
    paragraph(evil),
    note(evil),
    button(evil, evil),
    { kind: 'lines', lines: [line], total: line } as const,
    button(evil, evil),
  ];
  const html = htmlOf({ subject: evil, heading: evil, blocks }, 'en', evil);
  expect(html).not.toContain('<b ');
  expect(html.match(/&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;/g)).toHaveLength(13);
});

test('a name can neither turn what stands beside it nor begin a line', () => {
  const lines = [{ label: '2 × \u202eguM\u2028https://evil.example', value: '25\u2066 €' }];
  const content = { subject: '', heading: 'Hi', blocks: [{ kind: 'lines', lines }] } as const;
  expect(textOf(content, 'en')).toBe('Hi\n\n2 × guMhttps://evil.example  25 €\n');
  expect(htmlOf(content, 'en')).toContain(
    '<bdi class="label">2 × guMhttps://evil.example</bdi> <bdi class="value">25 €',
  );
});

test('an order that was paid before its confirmation is written is not asked for money', () => {
  const paid = { status: 'open', paymentStatus: 'paid', fulfilmentStatus: 'unfulfilled' };
  const [unpaid, known] = [undefined, paid].map((now) =>
    orderConfirmation
      .write({ order }, { locale: 'en', link: 'https://shop.example/pay', now })
      .blocks.map(({ kind }) => kind),
  );
  expect(unpaid).toEqual(['lines', 'paragraph', 'button']);
  expect(known).toEqual(['lines']);
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
