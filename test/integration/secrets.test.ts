import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, inject, test } from 'vitest';
import { openSmtp, smtpSettings } from '../../functions/notifications/smtp.ts';
import { tlsSettings } from '../../functions/runtime/grpc/tls.ts';
import { databaseError, databaseSettings, openDatabase } from '../../functions/runtime/postgres.ts';
import { readSettings } from '../../functions/runtime/process/settings.ts';
import { openMailbox } from '../../scripts/platform/servers/mailbox.ts';
import { keepingLog } from '../support/keeping-log.ts';
import { testShell } from '../support/shell.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A folder as the kubelet mounts a secret: links that lead through `..data`, which is turned to replace them all. */
function mount(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-secrets-'));
  folders.push(folder);
  let generation = 0;
  const replace = (contents: Readonly<Record<string, string>>): void => {
    generation += 1;
    mkdirSync(path.join(folder, `..${generation}`));
    for (const [name, content] of Object.entries(contents))
      writeFileSync(path.join(folder, `..${generation}`, name), content);
    symlinkSync(`..${generation}`, path.join(folder, '..data_tmp'));
    renameSync(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
    rmSync(path.join(folder, `..${generation - 1}`), { recursive: true, force: true });
  };
  replace(files);
  for (const name of Object.keys(files)) symlinkSync(`..data/${name}`, path.join(folder, name));
  return { folder, replace };
}

const DATABASE_URL = 'postgres://shop:first@db/shop';

test('what the environment lacks is read from the folder, without the newline at its end', () => {
  const { folder } = mount({ MAIL_FROM: 'shop@example.com\n', PORT: '81\r\n' });
  const settings = readSettings({ MAIL_FROM: smtpSettings.MAIL_FROM }, { SECRETS_FOLDER: folder });
  expect(settings).toMatchObject({ MAIL_FROM: 'shop@example.com', PORT: 81 });
});

test('of a setting in both the environment is taken', () => {
  const { folder } = mount({ DATABASE_URL });
  const own = 'postgres://own@db/shop';
  const { log } = keepingLog();
  expect(readSettings(databaseSettings, { SECRETS_FOLDER: folder, DATABASE_URL: own }).DATABASE_URL(log)).toBe(own);
});

test('a folder that is not there is as good as an empty one', () => {
  expect(() => readSettings(databaseSettings, { SECRETS_FOLDER: '/no/such' })).toThrow('DATABASE_URL is not set');
});

test('a file that cannot be read is said to be so', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-secrets-'));
  folders.push(folder);
  mkdirSync(path.join(folder, 'DATABASE_URL'));
  expect(() => readSettings(databaseSettings, { SECRETS_FOLDER: folder })).toThrow(
    `DATABASE_URL cannot be read from ${folder} (EISDIR)`,
  );
});

test('of the files for TLS all are in the folder or none', () => {
  const { folder } = mount({ GRPC_TLS_KEY_FILE: import.meta.filename });
  expect(() => readSettings(tlsSettings, { SECRETS_FOLDER: folder })).toThrow(
    'GRPC_TLS_CERT_FILE is not set; GRPC_TLS_CERT',
  );
});

test('a secret that is replaced has its new value from then on', () => {
  const { folder, replace } = mount({ DATABASE_URL });
  const { log, lines } = keepingLog();
  const settings = readSettings(databaseSettings, { SECRETS_FOLDER: folder });
  expect(settings.DATABASE_URL(log)).toBe(DATABASE_URL);
  replace({ DATABASE_URL: 'postgres://shop:second@db/shop\n' });
  expect(settings.DATABASE_URL(log)).toBe('postgres://shop:second@db/shop');
  expect(settings.DATABASE_URL(log)).toBe('postgres://shop:second@db/shop');
  expect(lines).toEqual([{ level: 'info', message: 'a secret was renewed', fields: { setting: 'DATABASE_URL' } }]);
});

test.each([
  ['nonsense', 'mysql://shop:second@db/shop'],
  ['nothing', ''],
])('a secret that is replaced by %s stays as it was, which is logged once and without the value', (_what, broken) => {
  const { folder, replace } = mount({ DATABASE_URL });
  const { log, lines } = keepingLog();
  const settings = readSettings(databaseSettings, { SECRETS_FOLDER: folder });
  replace({ DATABASE_URL: broken });
  expect(settings.DATABASE_URL(log)).toBe(DATABASE_URL);
  expect(settings.DATABASE_URL(log)).toBe(DATABASE_URL);
  expect(lines).toMatchObject([{ level: 'error', message: 'a secret cannot be used; the last good one stays' }]);
  expect(JSON.stringify(lines)).not.toContain('second');
  replace({});
  expect(settings.DATABASE_URL(log)).toBe(DATABASE_URL);
});

test('a new connection to Postgres is made by the URL as it is then, and those that there were go on', async () => {
  const { 'order-view': before = '', 'order-emails': after = '' } = inject('postgresLogins');
  const { folder, replace } = mount({ DATABASE_URL: `${before}\n` });
  const { shell, close } = testShell(databaseSettings, {
    DATABASE_URL: '',
    DATABASE_CONNECTIONS: '2',
    SECRETS_FOLDER: folder,
  });
  const database = openDatabase(shell);
  const first = await database.connect();
  replace({ DATABASE_URL: after });
  const second = await database.connect();
  const who = async (client: typeof first) => (await client.query('select current_user as login')).rows;
  expect(await who(first)).toEqual([{ login: new URL(before).username }]);
  expect(await who(second)).toEqual([{ login: new URL(after).username }]);
  first.release();
  second.release();
  await close();
});

test('an e-mail goes to the server as it is set then', async () => {
  const mails = mount({});
  const [one, two] = [await openMailbox(path.join(mails.folder, '1')), await openMailbox(path.join(mails.folder, '2'))];
  const { folder, replace } = mount({ SMTP_URL: one.url });
  const { shell, close } = testShell(smtpSettings, {
    SMTP_URL: '',
    MAIL_FROM: 'shop@example.com',
    SECRETS_FOLDER: folder,
  });
  const { send } = openSmtp(shell);
  const mail = { to: 'ada@example.com', text: '', html: '', headers: {} };
  const sendOne = (subject: string) => send({ ...mail, subject, messageId: `<${subject}@x>` });
  await sendOne('first');
  replace({ SMTP_URL: two.url });
  await Promise.all([sendOne('second'), sendOne('third')]);
  expect(one.list().map(({ subject }) => subject)).toEqual(['first']);
  expect(
    two
      .list()
      .map(({ subject }) => subject)
      .sort(),
  ).toEqual(['second', 'third']);
  await close();
  await one.close();
  await two.close();
});

test('a login that Postgres does not take is for later, as it may be renewed meanwhile', async () => {
  const url = new URL(inject('postgresUrl'));
  url.username = 'withdrawn';
  const { shell, close } = testShell(databaseSettings, { DATABASE_URL: url.href, DATABASE_CONNECTIONS: '1' });
  const problem = await openDatabase(shell).query('select').catch(databaseError);
  expect(problem).toMatchObject({ code: 'unavailable', slug: 'database-unavailable' });
  await close();
});

test('a server whose certificate is of another host is for later too', () => {
  const error = Object.assign(new Error('not in the list'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  expect(databaseError(error)).toMatchObject({ code: 'unavailable', slug: 'database-unavailable' });
});
