import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repository } from '../../scripts/registry/repository.ts';
import { checkBreaking } from '../../scripts/ship/breaking.ts';

const PUBLISHED = path.join(repository, 'proto');
let proto: string;

beforeEach(async () => {
  proto = await mkdtemp(path.join(os.tmpdir(), 'millrace-proto-'));
  await cp(PUBLISHED, proto, { recursive: true });
});
afterEach(() => rm(proto, { recursive: true }));

async function change(from: string, to: string): Promise<void> {
  const file = path.join(proto, 'millrace/users/v1/users.proto');
  const text = await readFile(file, 'utf8');
  expect(text).toContain(from);
  await writeFile(file, text.replace(from, to));
}

test('a new field can be added', async () => {
  await change('string user_id = 1;', 'string user_id = 1;\n  string nickname = 99;');
  await checkBreaking(proto, PUBLISHED);
});

test.each([
  ['field has another number', 'string email = 2;', 'string email = 98;'],
  ['field has another type', 'string email = 2;', 'bytes email = 2;'],
  ['rpc is gone', 'rpc GetUser(GetUserRequest) returns (User);', ''],
])('a %s: that breaks what is published', async (_what, from, to) => {
  await change(from, to);
  await expect(checkBreaking(proto, PUBLISHED)).rejects.toThrow('breaks what was published');
});
