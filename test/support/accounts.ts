/** Accounts of a running shop, as their owners use them: by HTTP and e-mail. */
import { randomUUID } from 'node:crypto';
import type { Shop } from './shop.ts';
import { until } from './until.ts';

export type Account = { readonly email: string; readonly password: string };

export const newAccount = (): Account => ({ email: `${randomUUID()}@example.com`, password: randomUUID() });

type Mail = { readonly to: string; readonly subject: string; readonly text: string };

export async function mailsTo(shop: Shop, email: string): Promise<Mail[]> {
  const { body } = await shop.call('GET', '/_local/mail');
  return body.filter(({ to }: Mail) => to === email);
}

/** The newest e-mail with this subject, once it has come. */
export const mailTo = (shop: Shop, email: string, subject: string): Promise<Mail> =>
  until(
    `the e-mail '${subject}'`,
    async () => (await mailsTo(shop, email)).find((mail) => mail.subject === subject),
    60_000,
  );

/** The token of the page's link in an e-mail. */
export function tokenIn({ text }: Mail, shop: Shop, page: string): string {
  const [, url, token] = /^(http\S+)#(\S+)$/m.exec(text) ?? [];
  if (url !== `${shop.endpoints.http}${page}` || !token) throw new Error(`There is no link to ${page} in: ${text}`);
  return token;
}

/** Confirms the address of a new account, as the welcome asks to. */
export async function confirmAddress(shop: Shop, email: string) {
  const token = tokenIn(await mailTo(shop, email, 'Confirm your e-mail address'), shop, '/verify-email');
  return shop.call('POST', '/v1/email-verifications', { body: { token } });
}

export const isOfNotifications = (operation: string): boolean =>
  /\/v1\/notifications|\/orders\/[^/]+\/payment$/.test(operation);

export const isOfWebhooks = (operation: string): boolean => operation.includes('/v1/webhook-endpoints');

/** Operations of the API that are about accounts, and the others. */
export const isOfAccounts = (operation: string): boolean =>
  /\/(v1\/(users|sessions|password-resets|email-verifications)\b|\.well-known|verify-email|reset-password)/.test(
    operation,
  );
