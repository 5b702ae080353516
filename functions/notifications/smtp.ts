/** SMTP by nodemailer: one pooled connection, bounded in time, closed with the function. */
import { createTransport } from 'nodemailer';
import type { Shell } from '../runtime/function.ts';

type Mail = { readonly to: string; readonly subject: string; readonly text: string; readonly messageId: string };

export function openSmtp(shell: Shell<'SMTP_URL' | 'MAIL_FROM'>) {
  const { SMTP_URL, MAIL_FROM } = shell.settings;
  const transport = createTransport({
    url: SMTP_URL,
    pool: true,
    maxConnections: 2,
    connectionTimeout: 5_000,
    greetingTimeout: 5_000,
    socketTimeout: 10_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  shell.onClose(() => transport.close());
  return {
    /** Resolves when the server has taken the mail. */
    async send(mail: Mail): Promise<void> {
      // An address object, so that no character in it can make a second recipient.
      await transport.sendMail({ ...mail, to: { name: '', address: mail.to }, from: MAIL_FROM });
    },
  };
}
