/** Builder of e-mail notifiers: event → template (pure) → address asked of user-service → SMTP, once an event. */
import type * as z from 'zod/mini';
import { notifier } from '../runtime/notifier.ts';
import { openUserClient } from '../users/client.ts';
import { openSmtp } from './smtp.ts';

export type Email = { readonly subject: string; readonly text: string };

/** A template: whom an event's e-mail is for, and what it says. Pure. */
export type Template<Data> = { readonly name: string; userId(data: Data): string; write(data: Data): Email };

type EmailsSpec<Schema extends z.ZodMiniType> = {
  readonly stream: string;
  readonly accepts: Readonly<Record<string, { readonly schema: Schema; readonly template: Template<z.infer<Schema>> }>>;
};

export const emails = <Schema extends z.ZodMiniType>({ stream, accepts }: EmailsSpec<Schema>) =>
  notifier({
    stream,
    needs: ['USER_SERVICE_ADDRESS', 'SMTP_URL', 'MAIL_FROM'],
    accepts: Object.fromEntries(
      Object.entries(accepts).map(([type, { schema, template }]) => [type, { schema, template: template.name }]),
    ),
    open(shell) {
      const users = openUserClient(shell);
      const smtp = openSmtp(shell);
      return async ({ eventId, type, data, trace }) => {
        const template = accepts[type]?.template;
        if (!template) throw new Error(`no template for ${type}`);
        const { email } = await users.getUser({ userId: template.userId(data) }, trace);
        const { subject, text } = template.write(data);
        await smtp.send({ to: email, subject, text, messageId: `<${eventId}.${template.name}@millrace>` });
      };
    },
  });
