import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Identity, newAuthority } from '../support/certificates.ts';
import { method, openTestClient, type RunningService, startService, trace, user } from '../support/grpc-service.ts';
import { until } from '../support/until.ts';

const authority = newAuthority();
const other = newAuthority();
const closers: (() => Promise<void> | void)[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-tls-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let secrets = 0;

/** Files as Kubernetes mounts a secret: a folder behind a symlink, which `replace` swaps. */
async function mount(first: Identity & { readonly ca: string }) {
  secrets += 1;
  const root = path.join(folder, `secret-${secrets}`);
  let versions = 0;
  const replace = async ({ cert, key, ca }: Identity & { readonly ca: string }): Promise<void> => {
    versions += 1;
    const version = await mkdtemp(`${root}-`);
    await Promise.all(Object.entries({ cert, key, ca }).map(([name, pem]) => writeFile(path.join(version, name), pem)));
    await symlink(version, `${root}.${versions}`);
    await rename(`${root}.${versions}`, root);
  };
  await replace(first);
  const settings = {
    GRPC_TLS_CERT_FILE: path.join(root, 'cert'),
    GRPC_TLS_KEY_FILE: path.join(root, 'key'),
    GRPC_TLS_CA_FILE: path.join(root, 'ca'),
  };
  return { settings, replace, file: (name: string) => path.join(root, name) };
}

async function start(settings: Readonly<Record<string, string>>): Promise<RunningService> {
  const running = await startService(user, { settings });
  closers.push(() => running.drain());
  return running;
}

function open(address: string, name: string, settings: Readonly<Record<string, string>> = {}) {
  const client = openTestClient(address.replace('127.0.0.1', 'localhost'), { name, settings });
  closers.push(() => client.close());
  return { ...client, get: () => client.call(method, { userId: 'ada' }, { trace }) };
}

const serverFiles = async (ca = authority.ca) => mount({ ...authority.issue('user-service'), ca });
const filesOf = async (name: string, from = authority, notAfter?: Date) =>
  (await mount({ ...from.issue(name, notAfter), ca: authority.ca })).settings;
const refused = { code: 'unavailable', slug: 'users-unavailable' };

test('a function with its certificate is served', async () => {
  const { address } = await start((await serverFiles()).settings);
  expect(await open(address, 'some-api', await filesOf('some-api')).get()).toEqual(user('ada'));
});

test('a function that says it is another one is refused', async () => {
  const { address } = await start((await serverFiles()).settings);
  const { get } = open(address, 'other-api', await filesOf('some-api'));
  await expect(get()).rejects.toMatchObject({ code: 'unauthenticated', slug: 'wrong-certificate' });
});

test('a certificate without a name is nobody’s', async () => {
  const { address } = await start((await serverFiles()).settings);
  const { get } = open(address, '', await filesOf(''));
  await expect(get()).rejects.toMatchObject({ code: 'unauthenticated', slug: 'wrong-certificate' });
});

test('without TLS, without a certificate, with one of another CA or an expired one, nobody gets in', async () => {
  const { address } = await start((await serverFiles()).settings);
  const expired = new Date(Date.now() - 3_600_000);
  await expect(open(address, 'some-api').get()).rejects.toMatchObject(refused);
  for (const settings of [await filesOf('some-api', other), await filesOf('some-api', authority, expired)])
    await expect(open(address, 'some-api', settings).get()).rejects.toMatchObject(refused);
});

test('a service whose certificate another CA signed is not trusted', async () => {
  const { settings } = await mount({ ...other.issue('user-service'), ca: authority.ca });
  const { address } = await start(settings);
  await expect(open(address, 'some-api', await filesOf('some-api')).get()).rejects.toMatchObject(refused);
});

test('files are read again: who is connected stays, a new CA is trusted, and the old one no more', async () => {
  const files = await serverFiles();
  const { address, lines } = await start(files.settings);
  const connected = open(address, 'some-api', await filesOf('some-api'));
  await connected.get();
  await files.replace({ ...authority.issue('user-service'), ca: other.ca });
  await until('the files to be read', () => lines.some(({ message }) => message === 'certificates were renewed'));
  expect(await connected.get()).toEqual(user('ada'));
  expect(await open(address, 'some-api', await filesOf('some-api', other)).get()).toEqual(user('ada'));
  await expect(open(address, 'some-api', await filesOf('some-api')).get()).rejects.toMatchObject(refused);
});

test('a client takes its renewed certificate for its next connection', async () => {
  const first = await startService(user, { settings: (await serverFiles()).settings });
  const own = await mount({ ...authority.issue('some-api'), ca: authority.ca });
  const client = open(first.address, 'some-api', own.settings);
  await client.get();
  await own.replace({ ...other.issue('some-api'), ca: authority.ca });
  await until('the files to be read', () =>
    client.lines.some(({ message }) => message === 'certificates were renewed'),
  );
  await first.drain();
  const port = first.address.split(':')[1] ?? '';
  const second = await startService(user, { port, settings: (await serverFiles(other.ca)).settings });
  closers.push(() => second.drain());
  expect(await until('an answer', () => client.get())).toEqual(user('ada'));
});

test('a key that is not of the certificate is not taken, and is told of', async () => {
  const files = await serverFiles();
  const { address, lines } = await start(files.settings);
  const { key } = authority.issue('user-service');
  await writeFile(files.file('key'), key);
  await until('it to be told', () =>
    lines.some(({ message }) => message.startsWith('new certificates cannot be used')),
  );
  expect(await open(address, 'some-api', await filesOf('some-api')).get()).toEqual(user('ada'));
  await files.replace({ ...authority.issue('user-service'), ca: authority.ca });
  await until('the files to be read', () => lines.some(({ message }) => message === 'certificates were renewed'));
});

test.each(['cert', 'key', 'ca'])('with a %s that is none it does not start', async (name) => {
  const files = await serverFiles();
  await writeFile(files.file(name), 'not a PEM');
  await expect(startService(user, { settings: files.settings })).rejects.toThrow('GRPC_TLS_CERT_FILE');
});
