import { expect, test } from 'vitest';
import { SIGNS_FROM } from '../../../functions/users/user-service/signing-keys.ts';
import { rotate } from './rotate.ts';

const start = Date.parse('2026-01-01T00:00:00.000Z');
const minutes = (count: number): Date => new Date(start + count * 60_000);
const first = async () => rotate([], minutes(-60), true);

test('a fresh key comes first, and signs when every replica knows it', async () => {
  const [old] = await first();
  const [fresh, ...others] = await rotate(old ? [old] : [], minutes(0), false);
  expect(fresh).toMatchObject({
    kty: 'OKP',
    crv: 'Ed25519',
    d: expect.any(String),
    [SIGNS_FROM]: minutes(15).toISOString(),
  });
  expect(others).toEqual([old]);
});

test('a key stays while tokens that it has signed may be alive, and then goes', async () => {
  const one = await first();
  const two = await rotate(one, minutes(0), false);
  // The old one signs until minute 15, its tokens live until minute 25.
  expect(await rotate(two, minutes(25), false)).toHaveLength(3);
  const [, ...kept] = await rotate(two, minutes(27), false);
  expect(kept).toEqual(two.slice(0, 1));
});

test('public keys stay', async () => {
  const [key] = await first();
  if (!key) throw new Error('no key');
  const { d: _, ...verifier } = key;
  const two = await rotate([...(await first()), verifier], minutes(0), false);
  const three = await rotate(two, minutes(60), false);
  expect(three.slice(1)).toEqual([two[0], verifier]);
});

test('stolen keys go at once, and the fresh one signs at once', async () => {
  const two = await rotate(await first(), minutes(0), false);
  const [fresh, ...others] = await rotate(two, minutes(1), true);
  expect(others).toEqual([]);
  expect(two).not.toContainEqual(fresh);
  expect(fresh).not.toHaveProperty(SIGNS_FROM);
});
