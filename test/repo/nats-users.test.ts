import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { natsSettings } from '../../functions/runtime/jetstream/connection.ts';
import { obtainNatsServer } from '../../scripts/platform/servers/nats/nats-binary.ts';
import { makeNkeys } from '../../scripts/platform/servers/nats/seeds.ts';
import { ACCOUNT, accountsConf, variableOf } from '../../scripts/registry/nats-users/accounts-conf.ts';
import { type NamedFunction, usersOf } from '../../scripts/registry/nats-users/permissions.ts';
import { shopUsers } from '../../scripts/registry/nats-users/shop-users.ts';
import { repository } from '../../scripts/registry/repository.ts';

const file = path.join(repository, 'infra/nats/accounts.conf');
const folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-accounts-'));
const users = await shopUsers();

afterAll(() => rmSync(folder, { recursive: true }));

test('the committed accounts are what functions and consumers say today; if not, run npm run generate', () => {
  expect(readFileSync(file, 'utf8')).toBe(accountsConf(users));
});

const { environment } = makeNkeys(
  folder,
  users.map(({ name }) => name),
);
writeFileSync(path.join(folder, 'nats.conf'), `include "accounts.conf"\njetstream { store_dir: ${folder} }\n`);
writeFileSync(path.join(folder, 'accounts.conf'), readFileSync(file));
const { path: natsServer } = await obtainNatsServer(() => undefined);
const takes = (env: Readonly<Record<string, string>>) =>
  promisify(execFile)(natsServer, ['-t', '-c', path.join(folder, 'nats.conf')], { env });

test('nats-server takes the accounts with the public keys of all users', async () => {
  expect((await takes(environment)).stderr).toContain('is valid');
});

test('nats-server names the key that is missing', async () => {
  const { NKEY_ORDER_VIEW: _, ...others } = environment;
  await expect(takes(others)).rejects.toThrow("variable reference for 'NKEY_ORDER_VIEW'");
});

test('a function that speaks to NATS is a user, and who does not is none', () => {
  const names = users.map(({ name }) => name);
  expect(names).toContain('commands-api');
  expect(names).not.toContain('queries-api');
  expect(new Set(names.map(variableOf)).size).toBe(names.length);
  expect(accountsConf(users)).toContain(`${ACCOUNT} {`);
});

test('nobody may publish to all subjects of a kind but the operator to commands, and nobody reads what is not sent to it', () => {
  for (const { name, publish, subscribe } of users) {
    const wide = publish.filter((subject) => /^[^.]*\.?>$|^\*|^\$JS\.API\.>|^\$JS\.ACK\.[*>]/.test(subject));
    expect(wide, name).toEqual(name === 'operator' ? ['command.>', 'dead.>', 'audit.>'] : []);
    const own = name === 'nack' ? ['_INBOX.*.*', '_INBOX.nack.>'] : [`_INBOX.${name}.>`];
    expect(subscribe).toEqual(own);
  }
});

const consumer = (streamName: string, durableName: string) => ({ streamName, durableName });
const example = (name: string, kind: NamedFunction['kind'], more: Partial<NamedFunction>): NamedFunction => ({
  name,
  kind,
  settings: natsSettings,
  consumes: [],
  publishes: [],
  schedules: [],
  ...more,
});

test('a handler may pull, acknowledge, park, bury, send its events, and answer those who send its command, and a sender of tasks may send them to those it names', () => {
  const handler = example('pack', 'command', { consumes: ['command.box.pack'], publishes: ['box.packed'] });
  const edge = example('edge', 'http', { publishes: ['command.box.pack'], tasksTo: ['pack'] });
  const other = example('other', 'http', { publishes: ['command.box.open'] });
  const sender = example('sender', 'policy', { publishes: ['command.box.pack'], schedules: ['command.box.open'] });
  const consumers = [consumer('COMMANDS', 'pack'), consumer('RETRIES', 'pack-retries'), consumer('COMMANDS', 'pack-2')];
  const found = usersOf([handler, edge, other, sender], consumers);
  const mayPublish = (name: string) => found.find((user) => user.name === name)?.publish;
  expect(mayPublish('pack')).toEqual([
    '$JS.API.CONSUMER.MSG.NEXT.COMMANDS.pack',
    '$JS.ACK.COMMANDS.pack.>',
    '$JS.ACK._.*.COMMANDS.pack.>',
    '$JS.API.CONSUMER.MSG.NEXT.RETRIES.pack-retries',
    '$JS.ACK.RETRIES.pack-retries.>',
    '$JS.ACK._.*.RETRIES.pack-retries.>',
    'waiting.pack.>',
    'dead.pack',
    'box.*.packed',
    '_INBOX.edge.answers.>',
  ]);
  expect(mayPublish('sender')).toEqual([
    'command.box.pack',
    'parked.command.box.open.*',
    '$JS.API.STREAM.PURGE.COMMANDS',
  ]);
  expect(mayPublish('edge')).toEqual(['command.box.pack', 'retry.pack']);
});
