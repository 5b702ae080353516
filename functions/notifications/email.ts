/** Builder of e-mail notifiers: event → template (pure) → address asked of user-service → SMTP, once an event. */
import type * as z from 'zod/mini';
import { toAppError } from '../runtime/errors.ts';
import { notifier } from '../runtime/notifier.ts';
import type { Trace } from '../runtime/trace.ts';
import { type LinkPurpose, openUserClient, type UserClient } from '../users/client.ts';
import { openSmtp } from './smtp.ts';

export type Email = { readonly subject: string; readonly text: string };

/** A link that lets its reader do one thing with the account, for a while. */
export type Link<Data> = {
  readonly purpose: LinkPurpose;
  /** Path of the page. */
  readonly page: string;
  /** RFC 3339: when the user did what it is for. */
  requestedAt(data: Data): string;
};

/** A template: whom an event's e-mail is for, and what it says, with its link if it has one. Pure. */
export type Template<Data> = {
  readonly name: string;
  userId(data: Data): string;
  readonly link?: Link<Data>;
  write(data: Data, link: string): Email;
};

type EmailsSpec<Events extends Readonly<Record<string, z.ZodMiniType>>> = {
  readonly stream: string;
  /** Schemas of the stream's events. */
  readonly events: Events;
  /** The events that lead to an e-mail. */
  readonly templates: { readonly [Type in keyof Events]?: Template<z.infer<Events[Type]>> };
};

/** Makes the link of an event; the secret is in its fragment, which is sent to no server. '' without a link. */
const linkMaker =
  (users: UserClient, shopUrl: string) =>
  async <Data>({ link, userId }: Template<Data>, data: Data, trace: Trace): Promise<string> => {
    if (!link) return '';
    const wanted = { userId: userId(data), purpose: link.purpose, requestedAt: link.requestedAt(data) };
    const token = await users.createLinkToken(wanted, trace);
    return `${shopUrl.replace(/\/$/, '')}${link.page}#${token}`;
  };

export function emails<Events extends Readonly<Record<string, z.ZodMiniType>>>(spec: EmailsSpec<Events>) {
  const templates = new Map(Object.entries(spec.templates) as [string, Template<unknown>][]);
  const hasLinks = [...templates.values()].some(({ link }) => link !== undefined);
  return notifier({
    stream: spec.stream,
    needs: ['USER_SERVICE_ADDRESS', 'SMTP_URL', 'MAIL_FROM', ...(hasLinks ? (['SHOP_URL'] as const) : [])],
    accepts: Object.fromEntries(
      [...templates].map(([type, { name }]) => [type, { template: name, schema: spec.events[type] as z.ZodMiniType }]),
    ),
    open(shell) {
      const users = openUserClient(shell);
      const smtp = openSmtp(shell);
      const makeLink = linkMaker(users, shell.settings.SHOP_URL);
      return async ({ eventId, type, data, trace }) => {
        const template = templates.get(type);
        if (!template) throw new Error(`no template for ${type}`);
        const { email } = await users.getUser({ userId: template.userId(data) }, trace);
        const link = await makeLink(template, data, trace).catch(unlessNotNeeded);
        if (link === undefined) return;
        const { subject, text } = template.write(data, link);
        await smtp.send({ to: email, subject, text, messageId: `<${eventId}.${template.name}@millrace>` });
      };
    },
  });
}

/** Without use for its link, because it was used or is too late, an e-mail is not sent. */
function unlessNotNeeded(error: unknown): undefined {
  if (toAppError(error).slug === 'link-not-needed') return undefined;
  throw error;
}
