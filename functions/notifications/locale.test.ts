import { expect, test } from 'vitest';
import { localeOf, moment, money } from './locale.ts';

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

test('a locale that is not known any more is English', () => {
  expect(localeOf('xx')).toBe('en');
  expect(localeOf('de')).toBe('de');
});
