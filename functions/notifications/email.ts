/** Builder of e-mail notifiers: event → template (pure) → address asked of user-service → SMTP, once an event. */
import type * as z from 'zod/mini';
import type { End, Subject } from '../runtime/claims.ts';
import { toAppError } from '../runtime/errors.ts';
import type { Shell } from '../runtime/function.ts';
import type { Notice } from '../runtime/notices.ts';
import { notifier } from '../runtime/notifier.ts';
import type { Database } from '../runtime/postgres.ts';
import type { Trace } from '../runtime/trace.ts';
import { openUserClient, type UserClient } from '../users/client.ts';
import { textOf } from './content.ts';
import { htmlOf } from './html.ts';
import { isOptional } from './optional.ts';
import { openRecipients } from './recipient.ts';
import { ADDRESS_REFUSED, openSmtp } from './smtp.ts';
import type { OrderState, Template } from './template.ts';

type EmailsSpec<Events extends Readonly<Record<string, z.ZodMiniType>>> = {
  readonly stream: string;
  /** Schemas of the events that it takes. */
  readonly events: Events;
  /** The events that lead to an e-mail at once. */
  readonly templates: { readonly [Type in keyof Events]?: Template<z.infer<Events[Type]>> };
  /** The events that lead to one later, at a time, RFC 3339; undefined: to none. */
  readonly reminders?: {
    readonly [Type in keyof Events]?: {
      readonly template: Template<z.infer<Events[Type]>>;
      at(data: z.infer<Events[Type]>, now: number): string | undefined;
    };
  };
  /** Pure. The user whom an event is for, and the order that it is about as it stood then. */
  about(data: z.infer<Events[keyof Events]>): {
    readonly recipient: string;
    readonly subject?: Subject & { readonly state: OrderState };
  };
};

type Any = Template<unknown>;
type Reminder = { readonly template: Any; at(data: unknown, now: number): string | undefined };

/** Makes the link of an event; a token is in its fragment, which is sent to no server. '' without a link. */
const linkMaker =
  (users: UserClient, shopUrl: string) =>
  async ({ link }: Any, userId: string, data: unknown, trace: Trace): Promise<string> => {
    if (!link) return '';
    const page = shopUrl + link.page(data);
    if (!link.token) return page;
    const { purpose, requestedAt } = link.token;
    const wanted = { userId, purpose, requestedAt: requestedAt(data) };
    return `${page}#${await users.createLinkToken(wanted, trace)}`;
  };

const suppressed = (reason: string): End => ({ status: 'suppressed', reason });

/** RFC 8058: mail programs show a button that posts to it. */
const unsubscribing = (link: string | undefined): Readonly<Record<string, string>> =>
  link ? { 'List-Unsubscribe': `<${link}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' } : {};

function openDelivery(
  templates: ReadonlyMap<string, Any>,
  shell: Shell<'USER_SERVICE_ADDRESS' | 'SMTP_URL' | 'MAIL_FROM' | 'SHOP_URL'>,
  database: Database,
) {
  const shopUrl = shell.settings.SHOP_URL.replace(/\/$/, '');
  const users = openUserClient(shell);
  const smtp = openSmtp(shell);
  const recipients = openRecipients(database);
  const makeLink = linkMaker(users, shopUrl);

  return async (notice: Notice<unknown>): Promise<End> => {
    const { eventId, data, recipient, trace, state, again, unsubscribeToken } = notice;
    const template = templates.get(notice.template);
    if (!template) throw new Error(`no template ${notice.template}`);
    if (!again && state && template.stale?.(state as OrderState)) return suppressed('stale');
    const { email } = await users.getUser({ userId: recipient }, trace);
    const { locale, muted, refused } = await recipients.find(recipient, email);
    if (refused) return suppressed('bounced');
    if (!again && isOptional(template.name) && muted.includes(template.name)) return suppressed('muted');
    const link = await makeLink(template, recipient, data, trace).catch(unlessNotNeeded);
    if (link === undefined) return suppressed('link-not-needed');
    const content = template.write(data, { locale, link });
    const unsubscribe = unsubscribeToken
      ? `${shopUrl}/v1/notifications/unsubscriptions/${unsubscribeToken}`
      : undefined;
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

export function emails<Events extends Readonly<Record<string, z.ZodMiniType>>>(spec: EmailsSpec<Events>) {
  const templates = new Map(Object.entries(spec.templates) as [string, Any][]);
  const reminders = new Map(Object.entries(spec.reminders ?? {}) as [string, Reminder][]);
  const all = [...templates.values(), ...[...reminders.values()].map(({ template }) => template)];
  const byName = new Map(all.map((template) => [template.name, template]));
  return notifier({
    stream: spec.stream,
    needs: ['USER_SERVICE_ADDRESS', 'SMTP_URL', 'MAIL_FROM', 'SHOP_URL'],
    accepts: Object.fromEntries(
      Object.entries(spec.events).map(([type, schema]) => [type, { schema, template: templates.get(type)?.name }]),
    ) as Readonly<Record<string, { schema: z.ZodMiniType; template: string | undefined }>>,
    about: spec.about as (data: unknown) => ReturnType<typeof spec.about>,
    later(type, data, now) {
      const reminder = reminders.get(type);
      const at = reminder?.at(data, now);
      return reminder && at !== undefined ? { template: reminder.template.name, at } : undefined;
    },
    isOptional,
    open: (shell, database) => openDelivery(byName, shell, database),
  });
}

/** Without use for its link, because it was used or is too late, an e-mail is not sent. */
function unlessNotNeeded(error: unknown): undefined {
  if (toAppError(error).slug === 'link-not-needed') return undefined;
  throw error;
}
