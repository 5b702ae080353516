/** A claimed notification → its e-mail: address asked of user-service, link, template (pure), SMTP; or why there is none. */
import { toAppError } from '../runtime/errors.ts';
import type { Shell } from '../runtime/function.ts';
import type { Delivery, End } from '../runtime/notifier.ts';
import type { Database } from '../runtime/postgres.ts';
import { setting, url } from '../runtime/settings.ts';
import type { Trace } from '../runtime/trace.ts';
import { openUserClient, type UserClient, type UserServiceSettings, userServiceSettings } from '../users/client.ts';
import { textOf } from './content.ts';
import { htmlOf } from './html.ts';
import { isOptional } from './optional.ts';
import type { Suppression } from './reasons.ts';
import { openRecipients } from './recipient.ts';
import { ADDRESS_REFUSED, openSmtp, type SmtpSettings, smtpSettings } from './smtp.ts';
import type { OrderState, Template } from './template.ts';

/** Makes the link of an event; a token is in its fragment, which is sent to no server. '' without a link. */
const linkMaker =
  (users: UserClient, shopUrl: string) =>
  async ({ link }: Template<unknown>, userId: string, data: unknown, trace: Trace): Promise<string> => {
    if (!link) return '';
    const page = shopUrl + link.page(data);
    if (!link.token) return page;
    const { purpose, requestedAt } = link.token;
    const wanted = { userId, purpose, requestedAt: requestedAt(data) };
    return `${page}#${await users.createLinkToken(wanted, trace)}`;
  };

/** Without use for its link, because it was used or is too late, an e-mail is not sent. */
function unlessNotNeeded(error: unknown): undefined {
  if (toAppError(error).slug === 'link-not-needed') return undefined;
  throw error;
}

const suppressed = (reason: Suppression): End => ({ status: 'suppressed', reason });

/** RFC 8058: mail programs show a button that posts to it. */
const unsubscribing = (link: string | undefined): Readonly<Record<string, string>> =>
  link ? { 'List-Unsubscribe': `<${link}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' } : {};

export const deliverySettings = {
  ...userServiceSettings,
  ...smtpSettings,
  SHOP_URL: setting('Where customers reach the shop: what the links in e-mails begin with', url('http:', 'https:')),
};
export type DeliverySettings = UserServiceSettings & SmtpSettings & { readonly SHOP_URL: string };

type EmailDelivery = Delivery<{ readonly id: string; readonly data: unknown }, OrderState | undefined>;

export function openDelivery(
  templates: ReadonlyMap<string, Template<unknown>>,
  shell: Shell<DeliverySettings>,
  database: Database,
): (delivery: EmailDelivery) => Promise<End> {
  const shopUrl = shell.settings.SHOP_URL.replace(/\/$/, '');
  const users = openUserClient(shell);
  const smtp = openSmtp(shell);
  const recipients = openRecipients(database);
  const makeLink = linkMaker(users, shopUrl);

  return async ({ event: { id: eventId, data }, recipient, trace, known, again, kept, template: name }) => {
    const template = templates.get(name);
    if (!template) throw new Error(`no template ${name}`);
    if (known && template.stale?.(known)) return suppressed('stale');
    const { email } = await users.getUser({ userId: recipient }, trace);
    const { locale, muted, refused } = await recipients.find(recipient, email);
    if (refused) return suppressed('bounced');
    if (!again && isOptional(template.name) && muted.includes(template.name)) return suppressed('muted');
    const link = await makeLink(template, recipient, data, trace).catch(unlessNotNeeded);
    if (link === undefined) return suppressed('link-not-needed');
    const content = template.write(data, { locale, link, now: known });
    const token = kept.unsubscribe_token;
    const unsubscribe = token ? `${shopUrl}/v1/notifications/unsubscriptions/${token}` : undefined;
    const mail = {
      to: email,
      subject: content.subject,
      text: textOf(content, locale, unsubscribe),
      html: htmlOf(content, locale, unsubscribe),
      headers: { 'Auto-Submitted': 'auto-generated', ...unsubscribing(unsubscribe) },
      messageId: `<${eventId}.${template.name}@millrace>`,
    };
    try {
      await smtp.send(mail);
      return { status: 'sent' };
    } catch (error) {
      if (toAppError(error).slug !== ADDRESS_REFUSED) throw error;
      await recipients.refuse(email);
      return { status: 'failed', reason: ADDRESS_REFUSED };
    }
  };
}
