import { expect, test } from 'vitest';
import accountEmails from './account-emails/function.ts';
import orderEmails from './order-emails/function.ts';

test('the address of the shop is needed where an e-mail has a link to it, and nowhere else', () => {
  expect(accountEmails.needs).toContain('SHOP_URL');
  expect(orderEmails.needs).not.toContain('SHOP_URL');
});
