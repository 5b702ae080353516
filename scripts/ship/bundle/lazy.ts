/** Packages that load all of themselves, and of Node, at once → the same, each part loaded at its first use: a cold start needs few. */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** Of packages alone; what own sources import is used. */
const BUILT_INS = /^(?:node:)?(?:assert|child_process|crypto|dns|http2|https|os|perf_hooks|tls|worker_threads|zlib)$/;

/** A package that imports modules of Node as a whole, `import tls from 'node:tls'`; a proxy has no names to import. */
const IMPORTS_WHOLE = 'node_modules/nodemailer/';

/** What TypeScript has compiled: there a module is named once, and then used as `name.member` alone. */
const COMPILED = /node_modules\/(?:nats|nkeys\.js|@grpc\/grpc-js|@google-cloud\/functions-framework)\/.*\.js$/;

const REQUIRED = /^(\s*)(?:const|var) (\w+_\d+) = require\(("[^"]+")\);$/gm;
const REEXPORTED = /^exports\.(\w+) = require\(("[^"]+")\);$/gm;
/** Node 24 has them all, and to look at one is to load it. */
const POLYFILL = /^if \(typeof (?:globalThis\.)?\w+ === "undefined"\) \{\n(?: .*\n)*\}$/gm;

/** Pure. A module is left as it is where it is used as a whole. */
export function lazily(source: string): string {
  let made = source
    .replace(POLYFILL, '')
    .replace(/ instanceof tls_1\.TLSSocket\b/g, '.encrypted === true')
    .replace(
      REEXPORTED,
      (_, name, file) =>
        `Object.defineProperty(exports, "${name}", { enumerable: true, get: () => require(${file}) });`,
    );
  for (const [line, space, name, file] of source.matchAll(REQUIRED)) {
    const uses = made.match(new RegExp(`\\b${name}\\b(?!\\.)`, 'g')) ?? [];
    if (uses.length > 1) continue;
    made = made
      .replace(new RegExp(`\\b${name}\\.`, 'g'), () => `${name}.all.`)
      .replace(line, () => `${space}const ${name} = { get all() { return require(${file}); } };`);
  }
  return made;
}

const later = (load: string): string =>
  `module.exports = new Proxy({}, { get: (_, key) => ${load}[key], has: (_, key) => key in ${load} });`;

/**
 * What nothing here calls: of nats key-value and object stores and its benchmark, of gRPC what channelz and reports of load
 * need. It would be compiled, and read at each start.
 */
const UNUSED = /^@grpc\/proto-loader$|^\.(?:\.\/jetstream)?\/(?:kv|objectstore|bench|js-sha256)$/;

/** The global crypto loads all of WebCrypto, for 12 random bytes. */
const FILL_RANDOM = /^function fillRandom\(a\) \{\n(?: .*\n)*\}$/m;

export const lazy: Plugin = {
  name: 'lazy',
  setup({ onLoad, onResolve, initialOptions: { absWorkingDir: resolveDir = '.' } }) {
    onLoad({ filter: COMPILED }, async ({ path }) => {
      const contents = lazily(await readFile(path, 'utf8'));
      if (!path.endsWith('/nuid.js')) return { contents };
      if (!FILL_RANDOM.test(contents)) throw new Error(`${path} makes its random bytes in another way than it did`);
      return {
        contents: contents.replace(FILL_RANDOM, 'const fillRandom = (a) => require("node:crypto").randomFillSync(a);'),
      };
    });
    onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'left-out' }));
    onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
    onResolve({ filter: BUILT_INS }, ({ path, kind, importer }) =>
      (kind === 'require-call' && importer.includes('node_modules')) || importer.includes(IMPORTS_WHOLE)
        ? { path: path.replace('node:', ''), namespace: 'built-in' }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path }) => ({
      contents: later(`process.getBuiltinModule(${JSON.stringify(path)})`),
    }));
    // It asks for all of WebCrypto when it is loaded, which only a password needs.
    onResolve({ filter: /^\.\/(?:crypto\/)?utils$/ }, ({ path, importer }) =>
      /\/pg\/lib\/(?:crypto\/sasl\.js \.\/utils|client\.js \.\/crypto\/utils)$/.test(`${importer} ${path}`)
        ? { path: 'pg/lib/crypto/utils', namespace: 'later' }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'later' }, ({ path }) => ({
      contents: later(`require(${JSON.stringify(path)})`),
      resolveDir,
    }));
  },
};
