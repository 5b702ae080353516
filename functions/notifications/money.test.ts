import { expect, test } from 'vitest';
import { money } from './money.ts';

test.each([
  [1250, 'EUR', '€12.50'],
  [5, 'USD', '$0.05'],
  [1250, 'JPY', '¥1,250'],
  [1234, 'KWD', 'KWD\u00a01.234'],
])('%d minor units of %s read %s', (minor, currency, text) => {
  expect(money(minor, currency)).toBe(text);
});
