import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BadRequest, ErrorInfo, RetryInfo } from '../../functions/gen/google/rpc/error_details.ts';
import { Status } from '../../functions/gen/google/rpc/status.ts';
import { UserServiceService as methods } from '../../functions/gen/millrace/users/v1/users.ts';
import type { AnyMethod } from '../../functions/runtime/grpc/methods.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { newSigningKey, startUserService, type UserServiceFixture } from '../support/user-service-fixture.ts';
import { newEmail, password, usersOf } from '../support/users.ts';

/** What a client in any language sees of the service: request → status code, reason, fields, whether waiting helps. */

type Rpc = keyof typeof methods;
type Sent = {
  readonly request: object;
  readonly token?: string;
  readonly address?: string;
  readonly from?: string;
  readonly deadline?: false;
  readonly bytes?: Buffer;
};
type Expected = { readonly status: string; readonly reason?: string; readonly fields?: string[]; readonly wait?: true };
type Row = readonly [rpc: Rpc, when: string, expected: string, send: () => Promise<Sent> | Sent];

const CODES = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
  ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];

let backends: Backends;
let service: UserServiceFixture;
let client: Client;
let folder: string;
let users: ReturnType<typeof usersOf>;
let keyFile: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-contract-'));
  keyFile = path.join(folder, 'key.json');
  await writeFile(keyFile, newSigningKey());
  backends = await startBackends();
  service = await startUserService(backends, { env: { SIGNING_KEY_FILE: keyFile } });
  client = new Client(service.address, credentials.createInsecure());
  users = usersOf(service, backends);
});

afterAll(async () => {
  client?.close();
  await service?.stop();
  await backends?.stop();
  await rm(folder, { recursive: true, force: true });
});

const parts = (bytes: Buffer) => Status.decode(bytes).details;
const detail = <Message>(error: ServiceError, name: string, type: { decode(bytes: Uint8Array): Message }) => {
  const [bytes] = error.metadata.get('grpc-status-details-bin') as Buffer[];
  const found = bytes && parts(bytes).find(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${name}`);
  return found && type.decode(found.value);
};

function seen(error: ServiceError): Expected {
  const fields = detail(error, 'BadRequest', BadRequest)?.fieldViolations.map(({ field }) => field) ?? [];
  const info = detail(error, 'ErrorInfo', ErrorInfo);
  expect(info?.domain).toBe('millrace');
  return {
    status: CODES[error.code] ?? '',
    ...(info ? { reason: info.reason } : {}),
    ...(fields.length > 0 ? { fields } : {}),
    ...(detail(error, 'RetryInfo', RetryInfo) ? { wait: true } : {}),
  };
}

/** The method, its types forgotten: what is sent is a table's. */
const methodOf = (rpc: Rpc): AnyMethod => methods[rpc];

async function call(
  rpc: Rpc,
  { request, token, address, from = 'account-emails', deadline, bytes }: Sent,
): Promise<Expected> {
  const method = methodOf(rpc);
  const metadata = new Metadata();
  metadata.set('millrace-function', from);
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  if (address) metadata.set('millrace-client-address', address);
  const whole = { ...(method.requestDeserialize(Buffer.alloc(0)) as object), ...request };
  const sent = bytes ?? method.requestSerialize(whole as never);
  const options = deadline === false ? {} : { deadline: Date.now() + 20_000 };
  const same = (raw: Buffer): Buffer => raw;
  return new Promise((resolve) =>
    client.makeUnaryRequest(method.path, same, same, sent, metadata, options, (error) =>
      resolve(error ? seen(error) : { status: 'OK' }),
    ),
  );
}

/** `FAILED_PRECONDITION EMAIL_TAKEN email; wait` → what is expected. */
function expectation(text: string): Expected {
  const [what = '', wait] = text.split('; ');
  const [status = '', reason, ...fields] = what.split(' ');
  return {
    status,
    ...(reason ? { reason } : {}),
    ...(fields.length > 0 ? { fields } : {}),
    ...(wait ? { wait: true as const } : {}),
  };
}

const email = newEmail;
const create = async () => users.signUp();
const customer = () => users.signedIn();
const tokenOf = async (role: 'customer' | 'staff' = 'customer'): Promise<string> =>
  (await users.signedIn(role)).accessToken;

async function link(purpose: 1 | 2): Promise<{ user: Awaited<ReturnType<typeof create>>; token: string }> {
  const user = await create();
  const requestedAt = new Date();
  const { token } = await service.call(methods.createLinkToken, { userId: user.userId, purpose, requestedAt });
  return { user, token };
}

async function forged(claims: { exp?: number; aud?: string }): Promise<string> {
  const { keys } = JSON.parse((await service.call(methods.getSigningKeys, {})).jwks);
  const { user, accessToken } = await customer();
  const { sid } = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString());
  const now = Math.floor(Date.now() / 1_000);
  const body = {
    sub: user.userId,
    role: 'customer',
    sid,
    iss: 'millrace',
    aud: 'millrace',
    iat: now - 900,
    exp: now + 60,
  };
  return new SignJWT({ ...body, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: keys[0].kid })
    .sign(await importJWK(JSON.parse(await readFile(keyFile, 'utf8')), 'EdDSA'));
}

const past = () => Math.floor(Date.now() / 1_000) - 60;

async function ended(): Promise<Awaited<ReturnType<typeof customer>>> {
  const one = await customer();
  await service.call(methods.revokeSession, {}, { token: one.accessToken });
  return one;
}

/** Sends it until the account has no more attempts from there, and then gives it once more. */
async function tooOften(rpc: Rpc, sent: Sent): Promise<Sent> {
  for (const _ of Array.from({ length: 5 })) await call(rpc, sent);
  return sent;
}

const nobody = randomUUID();
const newPassword = 'another correct horse';

const ROWS: readonly Row[] = [
  ['createUser', 'a new one', 'OK', () => ({ request: { email: email(), password } })],
  ['createUser', 'no e-mail', 'INVALID_ARGUMENT INVALID_USER email', () => ({ request: { email: 'ada', password } })],
  [
    'createUser',
    'a short password',
    'INVALID_ARGUMENT INVALID_USER password',
    () => ({ request: { email: email(), password: 'short' } }),
  ],
  [
    'createUser',
    'a common password',
    'INVALID_ARGUMENT INVALID_USER password',
    () => ({ request: { email: email(), password: 'password123' } }),
  ],
  [
    'createUser',
    'a long name',
    'INVALID_ARGUMENT INVALID_USER name',
    () => ({ request: { email: email(), password, name: 'x'.repeat(101) } }),
  ],
  [
    'createUser',
    'an id that is none',
    'INVALID_ARGUMENT INVALID_USER user_id',
    () => ({ request: { email: email(), password, userId: '7' } }),
  ],
  [
    'createUser',
    'all of it wrong',
    'INVALID_ARGUMENT INVALID_USER email password name user_id',
    () => ({ request: { email: '', password: '', userId: '7', name: 'x'.repeat(101) } }),
  ],
  [
    'createUser',
    'an e-mail that is taken',
    'FAILED_PRECONDITION EMAIL_TAKEN email',
    async () => ({ request: { email: (await create()).email, password } }),
  ],
  [
    'createUser',
    'an id that is there, too often',
    'RESOURCE_EXHAUSTED TOO_MANY_SIGN_INS; wait',
    async () => {
      const user = await create();
      const request = { email: user.email, userId: user.userId, password: 'another good password' };
      return tooOften('createUser', { request, address: '203.0.113.79' });
    },
  ],
  [
    'createUser',
    'too often from one address',
    'RESOURCE_EXHAUSTED TOO_MANY_SIGN_UPS; wait',
    async () => {
      const address = '203.0.113.78';
      for (const _ of Array.from({ length: 20 }))
        await call('createUser', { request: { email: email(), password }, address });
      return { request: { email: email(), password }, address };
    },
  ],

  ['verifyEmail', 'the token of the e-mail', 'OK', async () => ({ request: { token: (await link(1)).token } })],
  [
    'verifyEmail',
    'the same token again',
    'OK',
    async () => {
      const { token } = await link(1);
      await call('verifyEmail', { request: { token } });
      return { request: { token } };
    },
  ],
  [
    'verifyEmail',
    'a token of nobody',
    'FAILED_PRECONDITION LINK_INVALID',
    () => ({ request: { token: 'x'.repeat(43) } }),
  ],
  [
    'verifyEmail',
    'a token for a password',
    'FAILED_PRECONDITION LINK_INVALID',
    async () => ({ request: { token: (await link(2)).token } }),
  ],

  ['authenticate', 'the right password', 'OK', async () => ({ request: { email: (await create()).email, password } })],
  [
    'authenticate',
    'a wrong password',
    'UNAUTHENTICATED WRONG_CREDENTIALS',
    async () => ({ request: { email: (await create()).email, password: 'wrong' } }),
  ],
  ['authenticate', 'nobody', 'UNAUTHENTICATED WRONG_CREDENTIALS', () => ({ request: { email: email(), password } })],
  [
    'authenticate',
    'a suspended user',
    'PERMISSION_DENIED USER_SUSPENDED',
    async () => {
      const user = await create();
      await service.call(
        methods.suspendUser,
        { userId: user.userId, reason: 'test' },
        { token: await tokenOf('staff') },
      );
      return { request: { email: user.email, password } };
    },
  ],
  [
    'authenticate',
    'after five wrong ones',
    'RESOURCE_EXHAUSTED TOO_MANY_SIGN_INS; wait',
    async () => {
      const { email } = await create();
      const address = '203.0.113.80';
      await tooOften('authenticate', { request: { email, password: 'wrong' }, address });
      return { request: { email, password }, address };
    },
  ],

  ['refreshToken', 'the newest', 'OK', async () => ({ request: { refreshToken: (await customer()).refreshToken } })],
  [
    'refreshToken',
    'one of nobody',
    'UNAUTHENTICATED INVALID_REFRESH_TOKEN',
    () => ({ request: { refreshToken: 'x'.repeat(43) } }),
  ],
  [
    'refreshToken',
    'one that was used before',
    'UNAUTHENTICATED REFRESH_TOKEN_REUSED',
    async () => {
      const { refreshToken } = await customer();
      await call('refreshToken', { request: { refreshToken } });
      await backends.database.query(`update refresh_tokens set used_at = used_at - interval '11 s'`);
      return { request: { refreshToken } };
    },
  ],
  [
    'refreshToken',
    'of a session that has ended',
    'UNAUTHENTICATED SESSION_ENDED',
    async () => ({ request: { refreshToken: (await ended()).refreshToken } }),
  ],

  ['revokeSession', "one's own", 'OK', async () => ({ request: {}, token: await tokenOf() })],
  [
    'revokeSession',
    "somebody else's",
    'NOT_FOUND SESSION_NOT_FOUND',
    async () => ({ request: { sessionId: randomUUID() }, token: await tokenOf() }),
  ],
  ['revokeSession', 'without a token', 'UNAUTHENTICATED NO_TOKEN', () => ({ request: {} })],

  ['validateToken', 'a good one', 'OK', async () => ({ request: { accessToken: await tokenOf() } })],
  [
    'validateToken',
    'an old one',
    'UNAUTHENTICATED TOKEN_EXPIRED',
    async () => ({ request: { accessToken: await forged({ exp: past() }) } }),
  ],
  [
    'validateToken',
    'one for another shop',
    'UNAUTHENTICATED INVALID_TOKEN',
    async () => ({ request: { accessToken: await forged({ aud: 'other' }) } }),
  ],
  [
    'validateToken',
    'of a session that has ended',
    'UNAUTHENTICATED SESSION_ENDED',
    async () => ({ request: { accessToken: (await ended()).accessToken } }),
  ],

  ['getSigningKeys', 'anybody', 'OK', () => ({ request: {} })],

  ['getUser', 'by a function', 'OK', async () => ({ request: { userId: (await create()).userId } })],
  [
    'getUser',
    'by a function that has no use for it',
    'PERMISSION_DENIED WRONG_CALLER',
    () => ({ request: { userId: nobody }, from: 'queries-api' }),
  ],
  [
    'getUser',
    'oneself',
    'OK',
    async () => customer().then(({ user, accessToken: token }) => ({ request: { userId: user.userId }, token })),
  ],
  [
    'getUser',
    'another user',
    'NOT_FOUND USER_NOT_FOUND',
    async () => ({ request: { userId: (await create()).userId }, token: await tokenOf() }),
  ],
  [
    'getUser',
    'another user, by staff',
    'OK',
    async () => ({ request: { userId: (await create()).userId }, token: await tokenOf('staff') }),
  ],
  ['getUser', 'nobody', 'NOT_FOUND USER_NOT_FOUND', () => ({ request: { userId: nobody } })],
  ['getUser', 'no id', 'INVALID_ARGUMENT INVALID_USER_ID user_id', () => ({ request: { userId: '7' } })],
  [
    'getUser',
    'with an old token',
    'UNAUTHENTICATED TOKEN_EXPIRED',
    async () => ({ request: { userId: nobody }, token: await forged({ exp: past() }) }),
  ],
  [
    'getUser',
    'with a session that has ended',
    'UNAUTHENTICATED SESSION_ENDED',
    async () => ({ request: { userId: nobody }, token: (await ended()).accessToken }),
  ],
  [
    'getUser',
    'without a deadline',
    'INVALID_ARGUMENT DEADLINE_REQUIRED',
    () => ({ request: { userId: nobody }, deadline: false as const }),
  ],
  [
    'getUser',
    'with too much metadata',
    'INVALID_ARGUMENT METADATA_TOO_LARGE',
    () => ({ request: { userId: nobody }, from: 'x'.repeat(8 * 1024) }),
  ],
  [
    'getUser',
    'bytes of no message',
    'INVALID_ARGUMENT MALFORMED_MESSAGE',
    () => ({ request: {}, bytes: Buffer.from([0xff, 0xff]) }),
  ],

  ['batchGetUsers', 'by a function', 'OK', async () => ({ request: { userIds: [(await create()).userId, nobody] } })],
  [
    'batchGetUsers',
    'no id',
    'INVALID_ARGUMENT INVALID_USER_ID user_ids[1]',
    () => ({ request: { userIds: [nobody, '7'] } }),
  ],
  [
    'batchGetUsers',
    'too many',
    'INVALID_ARGUMENT INVALID_USER_ID user_ids',
    () => ({ request: { userIds: Array.from({ length: 101 }, () => nobody) } }),
  ],
  [
    'batchGetUsers',
    'by a user',
    'PERMISSION_DENIED WRONG_CALLER',
    async () => ({ request: { userIds: [nobody] }, token: await tokenOf('staff') }),
  ],

  ['listUsers', 'by staff', 'OK', async () => ({ request: {}, token: await tokenOf('staff') })],
  ['listUsers', 'by a customer', 'PERMISSION_DENIED WRONG_ROLE', async () => ({ request: {}, token: await tokenOf() })],
  [
    'listUsers',
    'too large a page',
    'INVALID_ARGUMENT INVALID_PAGE page_size',
    async () => ({ request: { pageSize: 101 }, token: await tokenOf('staff') }),
  ],
  [
    'listUsers',
    'a page of nothing',
    'INVALID_ARGUMENT INVALID_PAGE page_token',
    async () => ({ request: { pageToken: '?' }, token: await tokenOf('staff') }),
  ],

  ['updateUser', 'a name', 'OK', async () => ({ request: { name: 'Ada' }, token: await tokenOf() })],
  [
    'updateUser',
    'a long name',
    'INVALID_ARGUMENT INVALID_USER name',
    async () => ({ request: { name: 'x'.repeat(101) }, token: await tokenOf() }),
  ],
  [
    'updateUser',
    'with a wrong token',
    'UNAUTHENTICATED INVALID_TOKEN',
    () => ({ request: { name: 'Ada' }, token: 'a.b.c' }),
  ],

  [
    'changePassword',
    'the right password',
    'OK',
    async () => ({ request: { currentPassword: password, newPassword }, token: await tokenOf() }),
  ],
  [
    'changePassword',
    'a wrong password',
    'UNAUTHENTICATED WRONG_CREDENTIALS',
    async () => ({ request: { currentPassword: 'wrong', newPassword }, token: await tokenOf() }),
  ],
  [
    'changePassword',
    'a short new one',
    'INVALID_ARGUMENT INVALID_USER new_password',
    async () => ({ request: { currentPassword: password, newPassword: 'short' }, token: await tokenOf() }),
  ],
  [
    'changePassword',
    'after five wrong ones',
    'RESOURCE_EXHAUSTED TOO_MANY_SIGN_INS; wait',
    async () => {
      const request = { currentPassword: 'wrong', newPassword };
      return tooOften('changePassword', { request, token: await tokenOf(), address: '203.0.113.81' });
    },
  ],

  ['requestPasswordReset', 'a user', 'OK', async () => ({ request: { email: (await create()).email } })],
  ['requestPasswordReset', 'nobody', 'OK', () => ({ request: { email: email() } })],
  ['requestPasswordReset', 'no e-mail', 'INVALID_ARGUMENT INVALID_USER email', () => ({ request: { email: 'ada' } })],
  [
    'requestPasswordReset',
    'too often',
    'RESOURCE_EXHAUSTED TOO_MANY_RESETS; wait',
    async () => {
      const address = '203.0.113.77';
      const request = { email: email() };
      await Promise.all(Array.from({ length: 10 }, () => call('requestPasswordReset', { request, address })));
      return { request, address };
    },
  ],

  [
    'resetPassword',
    'the token of the e-mail',
    'OK',
    async () => ({ request: { token: (await link(2)).token, newPassword } }),
  ],
  [
    'resetPassword',
    'a token of nobody',
    'FAILED_PRECONDITION LINK_INVALID',
    () => ({ request: { token: 'x'.repeat(43), newPassword } }),
  ],
  [
    'resetPassword',
    'a used token',
    'FAILED_PRECONDITION LINK_INVALID',
    async () => {
      const { token } = await link(2);
      await call('resetPassword', { request: { token, newPassword } });
      return { request: { token, newPassword: 'and yet another one' } };
    },
  ],
  [
    'resetPassword',
    'a short password',
    'INVALID_ARGUMENT INVALID_USER new_password',
    async () => ({ request: { token: (await link(2)).token, newPassword: 'short' } }),
  ],

  [
    'suspendUser',
    'by staff',
    'OK',
    async () => ({ request: { userId: (await create()).userId, reason: 'fraud' }, token: await tokenOf('staff') }),
  ],
  [
    'suspendUser',
    'by a customer',
    'PERMISSION_DENIED WRONG_ROLE',
    async () => ({ request: { userId: nobody, reason: 'x' }, token: await tokenOf() }),
  ],
  ['suspendUser', 'by a function', 'UNAUTHENTICATED NO_TOKEN', () => ({ request: { userId: nobody, reason: 'x' } })],
  [
    'suspendUser',
    'nobody',
    'NOT_FOUND USER_NOT_FOUND',
    async () => ({ request: { userId: nobody, reason: 'x' }, token: await tokenOf('staff') }),
  ],
  [
    'suspendUser',
    'no id',
    'INVALID_ARGUMENT INVALID_USER_ID user_id',
    async () => ({ request: { userId: '7', reason: 'x' }, token: await tokenOf('staff') }),
  ],
  [
    'suspendUser',
    'a long reason',
    'INVALID_ARGUMENT INVALID_REASON reason',
    async () => ({ request: { userId: nobody, reason: 'x'.repeat(201) }, token: await tokenOf('staff') }),
  ],
  [
    'suspendUser',
    'oneself',
    'FAILED_PRECONDITION OWN_ACCOUNT',
    async () => {
      const { user, accessToken: token } = await users.signedIn('staff');
      return { request: { userId: user.userId, reason: 'x' }, token };
    },
  ],

  [
    'createLinkToken',
    'by a function',
    'OK',
    async () => ({ request: { userId: (await create()).userId, purpose: 1, requestedAt: new Date() } }),
  ],
  [
    'createLinkToken',
    'by a function that sends no links',
    'PERMISSION_DENIED WRONG_CALLER',
    () => ({ request: { userId: nobody, purpose: 1 }, from: 'order-emails' }),
  ],
  [
    'createLinkToken',
    'by a user',
    'PERMISSION_DENIED WRONG_CALLER',
    async () => ({ request: { userId: nobody, purpose: 1 }, token: await tokenOf() }),
  ],
  [
    'createLinkToken',
    'nobody',
    'NOT_FOUND USER_NOT_FOUND',
    () => ({ request: { userId: nobody, purpose: 1, requestedAt: new Date() } }),
  ],
  [
    'createLinkToken',
    'no id',
    'INVALID_ARGUMENT INVALID_USER_ID user_id',
    () => ({ request: { userId: '7', purpose: 1, requestedAt: new Date() } }),
  ],
  [
    'createLinkToken',
    'no purpose',
    'INVALID_ARGUMENT INVALID_PURPOSE purpose',
    async () => ({ request: { userId: (await create()).userId, requestedAt: new Date() } }),
  ],
  [
    'createLinkToken',
    'a reset an hour too late',
    'FAILED_PRECONDITION LINK_NOT_NEEDED',
    async () => ({
      request: { userId: (await create()).userId, purpose: 2, requestedAt: new Date(Date.now() - 3_600_000) },
    }),
  ],
];

test.each(ROWS)('%s, %s: %s', async (rpc, _when, expected, send) => {
  expect(await call(rpc, await send())).toEqual(expectation(expected));
});

/** Floods of passwords and of calls, and certificates, have tests of their own; the database is not taken away here. */
const ELSEWHERE = new Set(
  'TOO_MANY_PASSWORDS TOO_MANY_CALLS WRONG_CERTIFICATE DATABASE_UNAVAILABLE INTERNAL'.split(' '),
);

test('the table has every rpc, and every error that the contract lists for it', async () => {
  const proto = await readFile(path.join(repository, 'proto/millrace/users/v1/users.proto'), 'utf8');
  const listed = [...proto.matchAll(/((?: {2}\/\/.*\n)+) {2}rpc (\w+)/g)].flatMap(([, comment = '', name = '']) => {
    const [, errors = ''] = comment.replace(/\n\s*\/\/ ?/g, ' ').split('Errors:');
    return ['OK', ...[...errors.matchAll(/`([A-Z_]+)`/g)].map(([, reason]) => reason)].map(
      (reason) => `${name} ${reason}`,
    );
  });
  const [header = ''] = proto.split('syntax =');
  const anywhere = [...header.matchAll(/`([A-Z_]{4,})`/g)].map(([, reason = '']) => reason);
  const tested = ROWS.map(([rpc, , expected]) => {
    const { status, reason = status } = expectation(expected);
    return `${rpc.charAt(0).toUpperCase()}${rpc.slice(1)} ${reason}`;
  });
  const untested = (all: readonly string[], known: readonly string[]) =>
    all.filter((one) => !known.includes(one) && !ELSEWHERE.has(one.split(' ').at(-1) ?? ''));
  expect(listed.filter((one) => one.endsWith(' OK'))).toHaveLength(Object.keys(methods).length);
  expect(untested(listed, tested)).toEqual([]);
  expect(
    untested(
      anywhere,
      tested.map((one) => one.split(' ')[1] ?? ''),
    ),
  ).toEqual([]);
});
