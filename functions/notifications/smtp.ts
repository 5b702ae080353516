/** SMTP by nodemailer: a connection an e-mail in work, kept for the next, bounded in time, closed with the function. */
import { createTransport } from 'nodemailer';
import { invalid, unavailable } from '../runtime/errors.ts';
import type { Shell } from '../runtime/function.ts';

type Mail = { readonly to: string; readonly subject: string; readonly text: string; readonly messageId: string };

/** SMTP commands whose refusal is about this e-mail, and not about the connection or the account. */
const ABOUT_THE_MAIL = new Set(['RCPT TO', 'DATA']);

export function openSmtp(shell: Shell<'SMTP_URL' | 'MAIL_FROM'>) {
  const { SMTP_URL, MAIL_FROM } = shell.settings;
  const transport = createTransport({
    url: SMTP_URL,
    pool: true,
    maxConnections: 8,
    connectionTimeout: 5_000,
    greetingTimeout: 5_000,
    socketTimeout: 10_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  shell.onClose(() => transport.close());
  return {
    /** Resolves when the server has taken the mail; throws `invalid` when it never will, else `unavailable`. */
    async send(mail: Mail): Promise<void> {
      // An address object, so that no character in it can make a second recipient.
      const message = { ...mail, to: { name: '', address: mail.to }, from: MAIL_FROM };
      try {
        await transport.sendMail(message);
      } catch (error) {
        const { responseCode = 0, command = '' } = error as { responseCode?: number; command?: string };
        if (responseCode >= 500 && ABOUT_THE_MAIL.has(command))
          throw invalid('mail-refused', `The mail server refuses the e-mail for good: ${responseCode}`);
        throw unavailable('smtp-unavailable', 'The mail server did not take the e-mail', error);
      }
    },
  };
}
