import { parseOptions } from '@node-rs/argon2';
import { describe, expect, test } from 'vitest';
import { hasGoodLength, openPasswords } from './passwords.ts';
import { turns } from './turns.ts';

const passwords = openPasswords();
const client = { network: undefined, signal: new AbortController().signal };

describe('a password', () => {
  test.each([
    ['of 9 characters is too short', 'a'.repeat(9), false],
    ['of 10 characters will do', 'a'.repeat(10), true],
    ['of 128 characters will do', 'a'.repeat(128), true],
    ['of 129 characters is too long', 'a'.repeat(129), false],
    ['of 5 emoji is too short, though they are 10 units of UTF-16', '🔑'.repeat(5), false],
    ['of 128 emoji will do', '🔑'.repeat(128), true],
    ['of letters with loose accents counts each as one', 'e\u0301'.repeat(9), false],
  ])('%s', (_, password, good) => {
    expect(hasGoodLength(password)).toBe(good);
  });

  test('matches its own hash and no other password does', async () => {
    const hashed = await passwords.hash('correct horse battery', client);
    expect(await passwords.matches(hashed, 'correct horse battery', client)).toBe(true);
    expect(await passwords.matches(hashed, 'correct horse batterY', client)).toBe(false);
  });

  test('matches when another keyboard composes its accents differently', async () => {
    const hashed = await passwords.hash('pass-caf\u00e9-au-lait', client);
    expect(await passwords.matches(hashed, 'pass-cafe\u0301-au-lait', client)).toBe(true);
  });

  test('is hashed with argon2id at 19 MiB, two passes and one lane, and its own salt', async () => {
    const [one, two] = [
      await passwords.hash('correct horse battery', client),
      await passwords.hash('correct horse battery', client),
    ];
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(two);
  });

  test('of nobody never matches, and is checked against a hash of the same cost', async () => {
    const checked: string[] = [];
    const spy = openPasswords(turns({ atOnce: 1, waiting: 1, ofNetwork: 1 }), async (hashed) => {
      checked.push(String(hashed));
      return true;
    });
    expect(await spy.matches(undefined, 'correct horse battery', client)).toBe(false);
    expect(checked).toHaveLength(1);
    expect(parseOptions(checked[0] ?? '')).toEqual(parseOptions(await passwords.hash('correct horse battery', client)));
  });
});
