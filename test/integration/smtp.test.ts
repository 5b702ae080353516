import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, expect, test } from 'vitest';
import { openSmtp, smtpSettings } from '../../functions/notifications/smtp.ts';
import { testShell } from '../support/shell.ts';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const mail = { to: 'ada@example.com', subject: 'Hello', text: 'Hello', html: '<p>Hello</p>', headers: {} };

/** A server without TLS; gives what it took, and how to send to it. */
async function serve(options: SMTPServerOptions = {}, query = '') {
  const taken: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, _, done) {
      stream.resume();
      stream.on('end', () => {
        taken.push('mail');
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  opened.push(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = server.server.address() as { port: number };
  const url = `smtp://127.0.0.1:${port}${query}`;
  const { shell, close } = testShell(smtpSettings, { SMTP_URL: url, MAIL_FROM: 'shop@example.com' });
  opened.push(async () => close());
  const { send } = openSmtp(shell);
  return { taken, send: (to = mail.to) => send({ ...mail, to, messageId: '<1@x>' }) };
}

const refusing = (responseCode: number, message: string) => (_: unknown, __: unknown, done: (error: Error) => void) =>
  done(Object.assign(new Error(message), { responseCode }));
const refusingData: SMTPServerOptions['onData'] = (stream, _, done) => {
  stream.resume();
  stream.on('end', () => done(Object.assign(new Error('5.6.0 looks like spam'), { responseCode: 554 })));
};

test('with requireTLS nothing is sent to a server without TLS, and without it, it is', async () => {
  const strict = await serve({}, '?requireTLS=true');
  await expect(strict.send()).rejects.toMatchObject({ code: 'unavailable', slug: 'smtp-unavailable' });
  expect(strict.taken).toEqual([]);
  const lax = await serve();
  await lax.send();
  expect(lax.taken).toEqual(['mail']);
});

test.each<[string, SMTPServerOptions, object]>([
  [
    'a sender that is refused for good',
    { onMailFrom: refusing(550, '5.1.8 who are you') },
    { code: 'unavailable', slug: 'smtp-unavailable' },
  ],
  [
    'a sender that is refused when the recipient is named',
    { onRcptTo: refusing(550, '5.1.8 Sender address rejected') },
    { code: 'invalid', slug: 'mail-refused' },
  ],
  [
    'a greylisted recipient',
    { onRcptTo: refusing(450, '4.2.0 try later') },
    { code: 'unavailable', slug: 'smtp-unavailable' },
  ],
  [
    'a recipient that is not known',
    { onRcptTo: refusing(550, '5.1.1 unknown') },
    { code: 'invalid', slug: 'address-refused' },
  ],
  ['what is in it', { onData: refusingData }, { code: 'invalid', slug: 'mail-refused' }],
])('%s ends a sending as it should', async (_, options, expected) => {
  const { send } = await serve(options);
  await expect(send()).rejects.toMatchObject(expected);
});

test('whatever an address has in it, an e-mail has one recipient', async () => {
  const recipients: string[] = [];
  const { send } = await serve({
    onRcptTo({ address }, _, done) {
      recipients.push(address);
      done();
    },
  });
  for (const to of ['a@example.com, b@example.com', 'a@example.com\r\nRCPT TO:<b@example.com>', '"x>" <b@example.com>'])
    await send(to).catch(() => undefined);
  expect(recipients.filter((address) => address === 'b@example.com')).toEqual([]);
});
