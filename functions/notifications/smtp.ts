/** SMTP by nodemailer: a connection an e-mail in work, kept for the next, guarded, closed with the function or a new SMTP_URL. */
import { createTransport } from 'nodemailer';
import { openCallPolicy } from '../runtime/call-policy.ts';
import { invalid, unavailable } from '../runtime/errors.ts';
import type { Outbound, Shell } from '../runtime/function.ts';
import { type Renewed, secretSetting, setting, text, url } from '../runtime/settings.ts';
import { inSpan } from '../runtime/trace.ts';

/** `messageId` is `<key@domain>`: the key names the e-mail in traces. */
type Mail = {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly messageId: string;
};

type Refusal = { readonly responseCode?: number; readonly command?: string; readonly response?: string };

/** SMTP commands whose refusal is about this e-mail, and not about the connection or the account. */
const ABOUT_THE_MAIL = new Set(['RCPT TO', 'DATA']);

/** The notifier gives up before: an e-mail that is given up here may still be on its way. Tried again by the message alone. */
const CALL_POLICY = { name: 'smtp', timeoutMs: 60_000, retries: 0, inFlight: 8, halfOpenAfterMs: 5_000 };

/** A server that is silent for longer may have taken an e-mail, which then is sent again: slow ones look at it before they answer. */
const SILENT_MS = 20_000;

/** Later than that the notifier may have given it up, and its claim may be somebody else's. */
const BEGIN_WITHIN_MS = 15_000;

/** Slug of a refusal for good that is about whom the e-mail is for: nothing more can be sent there. */
export const ADDRESS_REFUSED = 'address-refused';

/** RFC 3463: no such mailbox or host, moved, takes no mail (5.1), or switched off (5.2.1); 5.1.7 and 5.1.8 are the sender's. */
const NOBODY_THERE = /^5\d\d[ -]5\.(1\.([1236]|10)|2\.1)(?!\d)/;

/** Whether the server says that nobody can be reached there, and not that it has a rule against the sender or this e-mail. */
export const isAddress = ({ command, response = '' }: Refusal): boolean =>
  command === 'RCPT TO' && NOBODY_THERE.test(response);

function refuse(error: Refusal): never {
  const { responseCode = 0, command = '' } = error;
  if (isAddress(error)) throw invalid(ADDRESS_REFUSED, `The mail server knows no such address: ${responseCode}`);
  if (responseCode >= 500 && ABOUT_THE_MAIL.has(command))
    throw invalid('mail-refused', `The mail server refuses the e-mail for good: ${responseCode}`);
  throw unavailable('smtp-unavailable', 'The mail server did not take the e-mail', error);
}

const openTransport = (url: string) =>
  createTransport({
    url,
    pool: true,
    maxConnections: 8,
    connectionTimeout: 5_000,
    greetingTimeout: 5_000,
    socketTimeout: SILENT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

const keyOf = ({ messageId }: Mail): string => messageId.replace(/^<|@[^@]*$/g, '');

export const smtpSettings = {
  SMTP_URL: secretSetting(
    'The mail server: `smtps://` speaks TLS from the first byte; `smtp://` turns to it when the server offers it, and with `?requireTLS=true` sends nothing without',
    url('smtp:', 'smtps:'),
  ),
  MAIL_FROM: setting('The sender of e-mails', text, 'Millrace <shop@millrace.example>'),
};
/** The server is where the operator says; these are the ports of submission. */
export const smtpOutbound: readonly Outbound[] = [{ host: 'SMTP_URL', ports: [465, 587] }];
export type SmtpSettings = { readonly SMTP_URL: Renewed; readonly MAIL_FROM: string };

export function openSmtp(shell: Shell<SmtpSettings>) {
  const { SMTP_URL, MAIL_FROM } = shell.settings;
  let current: { readonly url: string; readonly transport: ReturnType<typeof openTransport> } | undefined;
  /** One that is replaced ends its connections when their e-mails are sent. */
  const transportNow = () => {
    const url = SMTP_URL(shell.log);
    if (current?.url === url) return current.transport;
    current?.transport.close();
    current = { url, transport: openTransport(url) };
    return current.transport;
  };
  shell.onClose(() => current?.transport.close());
  const policy = openCallPolicy(shell, CALL_POLICY);
  return {
    /** Resolves when the server has taken the mail; throws `invalid` when it never will, else `unavailable`. */
    async send(mail: Mail): Promise<void> {
      // An address object, so that no character in it can make a second recipient.
      const message = { ...mail, to: { name: '', address: mail.to }, from: MAIL_FROM };
      const beginBy = Date.now() + BEGIN_WITHIN_MS;
      const attributes = {
        'peer.service': CALL_POLICY.name,
        'server.address': new URL(SMTP_URL(shell.log)).hostname,
        'millrace.notification.key': keyOf(mail),
      };
      await inSpan('send mail', { kind: 'client', attributes }, () =>
        policy.run(async () => {
          if (Date.now() > beginBy) throw unavailable('smtp-busy', 'The e-mail waited too long for its turn');
          await transportNow().sendMail(message).catch(refuse);
        }),
      );
    },
  };
}
