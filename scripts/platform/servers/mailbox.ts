/** Mail sent to a local SMTP port → kept, parsed, newest first; the last 1000 outlive the platform. Nothing leaves the machine. */
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import PostalMime, { type Address } from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';

export type Mail = {
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** By lower case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly receivedAt: string;
};
export type Mailbox = {
  readonly url: string;
  /** Newest first. */
  list(): readonly Mail[];
  close(): Promise<void>;
};

const MOST = 1_000;
const LARGEST_BYTES = 5_000_000;

/** On any port, or on one. */
export async function openMailbox(file: string, port = 0): Promise<Mailbox> {
  let mails = readMails(file);

  const keep = (mail: Mail): void => {
    mails.push(mail);
    if (mails.length < 2 * MOST) return appendFileSync(file, `${JSON.stringify(mail)}\n`, { mode: 0o600 });
    mails = mails.slice(-MOST);
    rewrite(file, mails);
  };

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: LARGEST_BYTES,
    // Answered, and so taken over, only when it is written down.
    onData: (stream, session, done) => {
      const to = session.envelope.rcptTo.map(({ address }) => address).join(', ');
      receive(stream, to).then(
        (mail) => {
          keep(mail);
          done();
        },
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: taken } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${taken}`,
    list: () => mails.slice(-MOST).reverse(),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function receive(stream: SMTPServerDataStream, to: string): Promise<Mail> {
  const mail = await PostalMime.parse(await buffer(stream));
  return {
    to,
    from: addressOf(mail.from),
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    ...(mail.html ? { html: mail.html } : {}),
    headers: Object.fromEntries(mail.headers.map(({ key, value }) => [key, value])),
    receivedAt: new Date().toISOString(),
  };
}

const addressOf = (address: Address | undefined): string => {
  if (!address?.address) return '';
  return address.name ? `${address.name} <${address.address}>` : address.address;
};

function readMails(file: string): Mail[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  const mails = lines.flatMap(parsed);
  if (mails.length === lines.length - 1 && mails.length <= MOST) return mails;
  const kept = mails.slice(-MOST);
  rewrite(file, kept);
  return kept;
}

/** A line that was cut off when the platform was killed is left out. */
function parsed(line: string): Mail[] {
  try {
    return [JSON.parse(line) as Mail];
  } catch {
    return [];
  }
}

function rewrite(file: string, mails: readonly Mail[]): void {
  writeFileSync(`${file}.new`, mails.map((mail) => `${JSON.stringify(mail)}\n`).join(''), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
