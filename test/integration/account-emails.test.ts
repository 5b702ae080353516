import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { type Mailbox, openMailbox } from '../../scripts/platform/servers/mailbox.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { signingKeyFile } from '../../scripts/shop/signing-key/file.ts';
import { newAccount } from '../support/accounts.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { until } from '../support/until.ts';
import { startUserService, type UserServiceFixture } from '../support/user-service-fixture.ts';

const trace = continueTrace(undefined);
const SHOP = 'https://shop.example';
const VERIFY = 'Confirm your e-mail address';

let backends: Backends;
let folder: string;
let mailbox: Mailbox;
let env: Record<string, string>;
let users: UserServiceFixture;
let accountEmails: RunningFunction;

beforeAll(async () => {
  backends = await startBackends({ consumer: (spec) => ({ ...spec, ackWait: '2s' }) });
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-account-emails-'));
  mailbox = await openMailbox(path.join(folder, 'mailbox.jsonl'));
  env = { GRPC_PORT: String(await freePort()), SIGNING_KEY_FILE: await signingKeyFile(folder) };
  users = await startUserService(backends, { env });
  accountEmails = await startFunction('account-emails', backends, {
    env: { USER_SERVICE_ADDRESS: users.address, SMTP_URL: mailbox.url, SHOP_URL: `${SHOP}/` },
  });
});

afterAll(async () => {
  await accountEmails?.stop();
  await users?.stop();
  await mailbox?.close();
  await backends?.stop();
  await rm(folder, { recursive: true, force: true });
});

const drained = () =>
  until('all events to be handled', async () => (await backends.undone('USERS', 'account-emails')) === 0, 50_000);
const mailsTo = (email: string) => mailbox.list().filter(({ to }) => to === email);
const subjectsTo = (email: string) => mailsTo(email).map(({ subject }) => subject);
const mailTo = (email: string, subject: string) =>
  until(`the e-mail '${subject}'`, () => mailsTo(email).find((mail) => mail.subject === subject));
const tokenIn = (text: string, page: string): string => {
  const line = text.split('\n').find((one) => one.startsWith(`${SHOP}${page}#`));
  return line?.split('#')[1] ?? '';
};

async function newUser(account = newAccount()) {
  const { userId, createdAt } = await users.client.createUser(account, trace);
  return { ...account, userId, createdAt };
}

/** An event as user-service publishes it; the same id twice is the same event, though the stream holds it twice. */
const publish = (userId: string, what: string, data: object, eventId: string = randomUUID()): Promise<number> =>
  backends.bus.publish(
    `user.${userId}.${what}`,
    JSON.stringify({ userId, ...data }),
    { 'ce-id': eventId, 'ce-source': '/test' },
    randomUUID(),
  );

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

test('a new user gets a link that confirms the address, and is then welcomed', async () => {
  const { email } = await newUser();
  const { text } = await mailTo(email, VERIFY);
  const confirmed = await users.client.verifyEmail({ token: tokenIn(text, '/verify-email') }, trace);
  expect(confirmed).toMatchObject({ email, emailVerifiedAt: expect.any(String) });
  expect((await mailTo(email, 'Welcome')).headers['list-unsubscribe']).toContain(SHOP);
});

test('who asks for a new password gets a link that sets it, and a notice when it was set', async () => {
  const { email } = await newUser();
  await users.client.requestPasswordReset({ email }, trace);
  const { text } = await mailTo(email, 'Set a new password');
  const password = randomUUID();
  await users.client.resetPassword({ token: tokenIn(text, '/reset-password'), newPassword: password }, trace);
  await users.client.authenticate({ email, password }, trace);
  const notice = await mailTo(email, 'Your password was changed');
  expect(notice.text).not.toContain('#');
});

test('an event that comes again, however often, is one e-mail', async () => {
  const { email, userId } = await newUser();
  await mailTo(email, VERIFY);
  const eventId = randomUUID();
  const requestedAt = new Date().toISOString();
  for (let time = 0; time < 3; time += 1) await publish(userId, 'password_reset_requested', { requestedAt }, eventId);
  await drained();
  const [created] = (await backends.messages('USERS')).filter(({ subject }) => subject === `user.${userId}.created`);
  const createdId = /ce-id: ?(\S+)/i.exec(created?.headers ?? '')?.[1] ?? '';
  await publish(userId, 'created', JSON.parse(created?.data ?? ''), createdId);
  await drained();
  expect(subjectsTo(email).sort()).toEqual([VERIFY, 'Set a new password']);
});

test('a link that is days late still confirms the address', async () => {
  const { email, userId } = await newUser();
  const first = await mailTo(email, VERIFY);
  await publish(userId, 'created', { createdAt: minutesAgo(3 * 24 * 60) });
  const late = await until('the late e-mail', () => mailsTo(email).find(({ text }) => text !== first.text));
  const confirmed = await users.client.verifyEmail({ token: tokenIn(late.text, '/verify-email') }, trace);
  expect(confirmed).toMatchObject({ email, emailVerifiedAt: expect.any(String) });
});

test('a reset older than its link would be, and a link for who has confirmed, send nothing', async () => {
  const { email, userId, createdAt } = await newUser();
  const { text } = await mailTo(email, VERIFY);
  await publish(userId, 'password_reset_requested', { requestedAt: minutesAgo(31) });
  await drained();
  await users.client.verifyEmail({ token: tokenIn(text, '/verify-email') }, trace);
  await publish(userId, 'created', { createdAt });
  await drained();
  expect(subjectsTo(email)).toEqual(['Welcome', VERIFY]);
  const unsent = `select template, reason from notifications where recipient = $1 and status = 'suppressed' order by template`;
  const { rows } = await backends.database.query(unsent, [userId]);
  const reason = 'link-not-needed';
  expect(rows).toEqual([
    { template: 'password-reset', reason },
    { template: 'verify', reason },
  ]);
  expect(await backends.messages('DEAD_LETTERS')).toEqual([]);
});

test('while user-service is down nothing is lost, and afterwards each e-mail is sent once', async () => {
  const accounts = await Promise.all(Array.from({ length: 3 }, () => newUser()));
  for (const { email } of accounts) await mailTo(email, VERIFY);
  await users.stop();
  const eventIds = accounts.map(() => randomUUID());
  const requestedAt = new Date().toISOString();
  for (const [index, { userId }] of accounts.entries())
    await publish(userId, 'password_reset_requested', { requestedAt }, eventIds[index]);
  await until('an attempt at each', async () => {
    const text = 'select 1 from notifications where event_id = any($1) and attempts > 1';
    return (await backends.database.query(text, [eventIds])).rowCount === accounts.length;
  });
  users = await startUserService(backends, { env });
  await drained();
  for (const { email } of accounts) expect(subjectsTo(email)).toEqual(['Set a new password', VERIFY]);
  expect(await backends.messages('DEAD_LETTERS')).toEqual([]);
});

test('no address and no token is in an event or in the log', async () => {
  const { email } = await newUser();
  const token = tokenIn((await mailTo(email, VERIFY)).text, '/verify-email');
  expect(token.length).toBeGreaterThan(20);
  await drained();
  const told = [
    ...(await backends.messages('USERS')).map(({ headers, data }) => headers + data),
    ...accountEmails.lines,
    ...users.process.lines,
  ].join('\n');
  expect(told).not.toContain(email);
  expect(told).not.toContain(token);
});
