/** What esbuild tells of a bundle, as what is inside. */
import type { Metafile } from 'esbuild';
import { expect, it } from 'vitest';
import { contentsOf, loadedBy } from './contents.ts';

const OUTPUT = 'dist/one/index.cjs';
const metafile = {
  inputs: {},
  outputs: {
    [OUTPUT]: {
      bytes: 9,
      exports: [],
      imports: [
        { path: 'native', kind: 'dynamic-import', external: true },
        { path: 'node:fs', kind: 'require-call', external: true },
      ],
      inputs: {
        'entry:one': { bytesInOutput: 1 },
        'functions/b.ts': { bytesInOutput: 1 },
        'functions/a.ts': { bytesInOutput: 1 },
        'functions/types-only.ts': { bytesInOutput: 0 },
        'node_modules/pg/lib/index.js': { bytesInOutput: 1 },
        'node_modules/pg/lib/client.js': { bytesInOutput: 1 },
        'node_modules/@scope/name/index.js': { bytesInOutput: 1 },
        'node_modules/pg/node_modules/inner/index.js': { bytesInOutput: 1 },
        'node_modules/shaken-off/index.js': { bytesInOutput: 0 },
      },
    },
  },
} satisfies Metafile;

it('names own files and the folders of packages, those with code in the bundle', () => {
  expect(contentsOf(metafile, OUTPUT)).toEqual({
    sources: ['functions/a.ts', 'functions/b.ts'],
    packages: ['node_modules/@scope/name', 'node_modules/pg', 'node_modules/pg/node_modules/inner'],
  });
});

it('names the external packages that the bundle loads', () => {
  expect(loadedBy(metafile, OUTPUT, ['native', 'another'])).toEqual(['native']);
});
