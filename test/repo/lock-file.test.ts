import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../../scripts/registry/repository.ts';

type Asks = Readonly<Record<string, string>>;
type Locked = { readonly dependencies?: Asks; readonly optionalDependencies?: Asks };

const { packages } = JSON.parse(readFileSync(path.join(repository, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

/** As Node finds a package: beside who asks for it, or above. */
function isLocked(name: string, from: string): boolean {
  if (`${from && `${from}/`}node_modules/${name}` in packages) return true;
  return from !== '' && isLocked(name, from.slice(0, Math.max(0, from.lastIndexOf('node_modules/') - 1)));
}

test('what a locked package asks for is locked too, for every platform: else npm ci, and so npm start, refuses', () => {
  const missing = Object.entries(packages).flatMap(([place, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isLocked(name, place))
      .map((name) => `${name}, for ${place}`),
  );
  expect(missing).toEqual([]);
});
