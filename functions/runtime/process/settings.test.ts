import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { tlsSettings } from '../grpc/tls.ts';
import { readProxies } from '../http/client-address.ts';
import { natsSettings } from '../jetstream/connection.ts';
import { databaseSettings } from '../postgres.ts';
import { ConfigError, filePath, hostAndPort, integer, secretSetting, setting, url } from '../settings.ts';
import { readSettings } from './settings.ts';

const own = {
  ...natsSettings,
  ...databaseSettings,
  KEY_FILE: setting('a file', filePath),
  ADDRESS: setting('an address', hostAndPort),
  LIMIT: setting('a number', integer(0, 65_535)),
  RELAY_URL: secretSetting('a secret', url('smtp:')),
  PROXIES: setting('ranges', readProxies, ''),
};

test('settings have their types and defaults', () => {
  expect(readSettings(natsSettings, { NATS_URL: 'nats://a:1', PORT: '0' })).toEqual({
    HOST: '0.0.0.0',
    PORT: 0,
    LOG_LEVEL: 'info',
    DRAIN_SECONDS: 25,
    SECRETS_FOLDER: '/var/run/secrets/millrace',
    DELIVERY: 'pull',
    NATS_URL: 'nats://a:1',
  });
});

test('everything that is wrong is said in one message', () => {
  const read = () =>
    readSettings(
      { ...natsSettings, ...databaseSettings, KEY_FILE: own.KEY_FILE },
      {
        PORT: '99999',
        LOG_LEVEL: 'loud',
        DATABASE_URL: 'mysql://x',
        KEY_FILE: '/no/such',
      },
    );
  expect(read).toThrow(ConfigError);
  for (const problem of [
    'PORT must be',
    'LOG_LEVEL must be one of',
    'NATS_URL is not set',
    'DATABASE_URL must begin with',
    'KEY_FILE names a file',
  ])
    expect(read).toThrow(problem);
});

test('a setting that a function does not need is not looked at', () => {
  expect(() => readSettings({}, { NATS_URL: 'nonsense' })).not.toThrow();
});

test('of the proxies that are trusted the one that is none is named', () => {
  const read = () => readSettings({ PROXIES: own.PROXIES }, { PROXIES: '10.0.0.0/8,10.0.0.0/80' });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow("PROXIES has '10.0.0.0/80', which is neither an address nor a range such as 10.0.0.0/8");
  expect(readSettings({ PROXIES: own.PROXIES }, {}).PROXIES.rules).toEqual([]);
});

test.each([
  ['DATABASE_URL', 'mysql://u:secret@h'],
  ['DATABASE_URL', 'postgres://u:secret@h:port/d'],
  ['DATABASE_URL', 'postgres://u:secret%@h/d'],
  ['RELAY_URL', 'smtp//u:secret@h'],
  ['NATS_URL', 'u:secret@h'],
  ['ADDRESS', 'secret'],
  ['KEY_FILE', '{"d":"secret"}'],
  ['LIMIT', 'secret'],
] as const)('%s does not say its value when it is wrong', (name, value) => {
  const read = () => readSettings({ [name]: own[name] }, { [name]: value });
  expect(read).toThrow(`${name} `);
  expect(read).not.toThrow('secret');
});

test('a file that a database URL names must be there', () => {
  const read = (file: string) => () =>
    readSettings(databaseSettings, { DATABASE_URL: `postgres://u:secret@h/d?sslmode=verify-full&sslrootcert=${file}` });
  expect(read('/no/such')).toThrow('DATABASE_URL names, as sslrootcert, a file that cannot be read (ENOENT)');
  expect(read('/no/such')).not.toThrow('secret');
  expect(read(import.meta.filename)).not.toThrow();
});

test('a setting that may be unset is undefined then', () => {
  expect(readSettings({}, {}).OTEL_EXPORTER_OTLP_ENDPOINT).toBeUndefined();
  const endpoint = 'http://127.0.0.1:4318';
  expect(readSettings({}, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).OTEL_EXPORTER_OTLP_ENDPOINT).toBe(endpoint);
  expect(() => readSettings({}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' })).toThrow('OTEL_EXPORTER_OTLP_ENDPOINT');
});

test.each([
  ['', 'holds no seed'],
  ['UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4', 'holds no seed'],
  ['SUAGC3DPMRUW4ZZAMEQGC3DPMRUW4ZY', 'holds no seed'],
])('NATS_SEED_FILE with %j in it is no seed, and is not shown', (content, says) => {
  const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'millrace-seed-')), 'seed');
  writeFileSync(file, content);
  const read = () => readSettings(natsSettings, { NATS_URL: 'nats://a:1', NATS_SEED_FILE: file });
  expect(read).toThrow(`NATS_SEED_FILE names a file that ${says} of an nkey`);
  if (content) expect(read).not.toThrow(content);
  expect(() => readSettings(natsSettings, { NATS_URL: 'nats://a:1', NATS_SEED_FILE: '/no/such' })).toThrow(
    'NATS_SEED_FILE names a file that cannot be',
  );
});

test('of the files for TLS all are set or none', () => {
  const file = import.meta.filename;
  const read = () => readSettings(tlsSettings, { GRPC_TLS_CERT_FILE: file, GRPC_TLS_CA_FILE: '/no/such' });
  expect(read).toThrow('GRPC_TLS_KEY_FILE is not set; GRPC_TLS_CERT_FILE, GRPC_TLS_KEY_FILE');
  expect(read).toThrow('GRPC_TLS_CA_FILE names a file that cannot be read');
  expect(read).not.toThrow('GRPC_TLS_CERT_FILE is not set');
  const all = { GRPC_TLS_CERT_FILE: file, GRPC_TLS_KEY_FILE: file, GRPC_TLS_CA_FILE: file };
  expect(readSettings(tlsSettings, all)).toMatchObject(all);
});
