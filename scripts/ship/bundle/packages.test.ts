/** Where the packages are that others need. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { closureOf } from './packages.ts';

test('what a package needs is found where Node would find it, its own before that of others', () => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'millrace-packages-'));
  const put = (folder: string, more: object = {}): void => {
    mkdirSync(path.join(root, folder), { recursive: true });
    const manifest = { name: path.basename(folder), version: '1.0.0', ...more };
    writeFileSync(path.join(root, folder, 'package.json'), JSON.stringify(manifest));
  };
  put('node_modules/one', { dependencies: { shared: '1', two: '1' }, optionalDependencies: { absent: '1' } });
  put('node_modules/two', { dependencies: { shared: '2' } });
  put('node_modules/two/node_modules/shared', { dependencies: { deep: '1' } });
  put('node_modules/shared');
  put('node_modules/deep');
  put('node_modules/not-needed');
  const wanted = ['deep', 'one', 'shared', 'two', 'two/node_modules/shared'].map((name) => `node_modules/${name}`);
  expect(closureOf(root, ['one'])).toEqual(wanted);
  rmSync(root, { recursive: true });
});
