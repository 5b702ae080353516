import { expect, test } from 'vitest';
import { lazily } from './lazy.ts';

/** Runs a module; gives what it exports and the names of the modules that it has loaded. */
function run(source: string) {
  const loaded: string[] = [];
  const exports: Record<string, unknown> = {};
  const require = (name: string) => {
    loaded.push(name);
    return { Thing: class {}, word: name };
  };
  new Function('exports', 'require', source)(exports, require);
  return { exports, loaded };
}

test('a module is loaded when something of it is used', () => {
  const { exports, loaded } = run(
    lazily(`const a_1 = require("a");\nconst b_1 = require("b");
      exports.make = () => new a_1.Thing();\nexports.word = () => (0, b_1.word);`),
  );
  expect(loaded).toEqual([]);
  expect((exports.make as () => object)().constructor.name).toBe('Thing');
  expect(loaded).toEqual(['a']);
});

test('what is given on is loaded when it is taken', () => {
  const { exports, loaded } = run(lazily('exports.keys = void 0;\nexports.keys = require("keys");'));
  expect(loaded).toEqual([]);
  expect(exports.keys).toMatchObject({ word: 'keys' });
});

test('a module that is used as a whole is loaded at once', () => {
  const { exports, loaded } = run(lazily('const a_1 = require("a");\nexports.all = a_1;\nexports.word = a_1.word;'));
  expect(loaded).toEqual(['a']);
  expect(exports.all).toMatchObject({ word: 'a' });
  expect(exports.word).toBe('a');
});

test('globals are not looked at', () => {
  expect(lazily('if (typeof globalThis.crypto === "undefined") {\n    const c = require("crypto");\n}\nlet a;')).toBe(
    '\nlet a;',
  );
});
