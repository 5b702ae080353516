import { expect, test } from 'vitest';
import { LOCALES, localeOf, moment, money } from './locale.ts';

test.each([
  [1250, 'EUR', 'en', '€12.50'],
  [1250, 'EUR', 'de', '12,50\u00a0€'],
  [5, 'USD', 'en', '$0.05'],
  [1250, 'JPY', 'en', '¥1,250'],
  [1234, 'KWD', 'en', 'KWD\u00a01.234'],
] as const)('%d minor units of %s in %s read %s', (minor, currency, locale, text) => {
  expect(money(minor, currency, locale)).toBe(text);
});

test.each([
  ['en', '20 November 2026 at 12:34 UTC'],
  ['de', '20. November 2026 um 12:34 UTC'],
] as const)('a time in %s reads %s', (locale, text) => {
  expect(moment('2026-11-20T12:34:56.000Z', locale)).toBe(text);
});

test.each(LOCALES)('euros and times in %s read as Intl has them', (locale) => {
  const euros = new Intl.NumberFormat(locale, { style: 'currency', currency: 'EUR' });
  for (const minor of [0, 7, 99, 100, 99_999, 100_000, 123_456_789])
    expect(money(minor, 'EUR', locale)).toBe(euros.format(minor / 100));
  const tag = locale === 'en' ? 'en-GB' : 'de-DE';
  const times = new Intl.DateTimeFormat(tag, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  for (let month = 0; month < 12; month += 1) {
    const at = new Date(Date.UTC(2026, month, month + 3, month, 5));
    expect(moment(at.toISOString(), locale)).toBe(`${times.format(at)} UTC`);
  }
});

test('a locale that is not known any more is English', () => {
  expect(localeOf('xx')).toBe('en');
  expect(localeOf('de')).toBe('de');
});
