import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Shell } from '../function.ts';
import { readSettings } from '../process/settings.ts';
import { ConfigError } from '../settings.ts';
import { natsSettings } from './connection.ts';
import { newSeed, openSeed, publicKeyOf } from './nkey.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-nkey-'));
const file = path.join(folder, 'NATS_SEED');
const seed = newSeed();

beforeEach(() => writeFileSync(file, `${seed}\n`));
afterAll(() => rmSync(folder, { recursive: true }));

/** `errors` are the fields of what is logged as an error. */
function open(environment: Readonly<Record<string, string>> = { NATS_SEED_FILE: file }) {
  const errors: object[] = [];
  const log = { error: (fields: object) => errors.push(fields) } as unknown as Shell['log'];
  const shell = {
    name: 'a',
    settings: readSettings(natsSettings, { NATS_URL: 'nats://127.0.0.1:4222', ...environment }),
    log,
    onClose: () => undefined,
  };
  return { read: openSeed(shell), errors };
}
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

test('without a file there is no key', () => {
  expect(open({}).read).toBeUndefined();
});

test('the seed is read anew each time', () => {
  const { read } = open();
  expect(text(read?.())).toBe(seed);
  const next = newSeed();
  writeFileSync(file, next);
  expect(text(read?.())).toBe(next);
  expect(publicKeyOf(file)).toMatch(/^U[A-Z2-7]{55}$/);
});

test('a seed with a typing error ends the start, and is not shown', () => {
  const wrong = `${seed.slice(0, 30)}${seed[30] === 'A' ? 'B' : 'A'}${seed.slice(31)}`;
  writeFileSync(file, wrong);
  expect(() => open()).toThrow(ConfigError);
  expect(() => open()).not.toThrow(wrong);
});

test('when the file is spoilt later the seed before is used, and the log says so without it', () => {
  const { read, errors } = open();
  writeFileSync(file, 'SUSECRET');
  expect(text(read?.())).toBe(seed);
  expect(errors).toEqual([{ file }]);
});
