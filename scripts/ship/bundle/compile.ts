/** Functions → their bundles, by one run of esbuild that reads each source once; a bundle is the same whichever others are made with it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type BuildResult, build, type Plugin } from 'esbuild';
import { lazy } from './lazy.ts';

/** `source` is the path of function.ts from the repository. */
export type Entry = { readonly name: string; readonly source: string };

type Options = {
  /** Packages that stay outside. */
  readonly external: readonly string[];
  /** Nothing is loaded before OpenTelemetry's instrumentations. */
  readonly instrumented: boolean;
};

/** Where a bundle is put, from the repository: the function, and what only requests need, which is loaded at the first one. */
export const outputsOf = (name: string) =>
  ({ main: `dist/${name}/main.cjs`, framework: `dist/${name}/framework.cjs` }) as const;

const NAMESPACE = 'entry';

function entryOf({ name, source }: Entry, instrumented: boolean): string {
  const start = `run(${JSON.stringify(name)}, definition)`;
  if (!instrumented)
    return `import definition from './${source}';
      import { run } from './functions/runtime/process/main.ts';
      void ${start};`;
  return `import { instrument } from './functions/runtime/process/auto-instrumentation.ts';
    void instrument().then(async () => {
      const { default: definition } = await import('./${source}');
      const { run } = await import('./functions/runtime/process/main.ts');
      await ${start};
    });`;
}

/** All paths are from the repository: nothing in a bundle depends on the folder that it is built in. */
const entries = (root: string, functions: readonly Entry[], instrumented: boolean): Plugin => ({
  name: 'entries',
  setup({ onResolve, onLoad }) {
    const byName = new Map(functions.map((fn) => [fn.name, entryOf(fn, instrumented)]));
    onResolve({ filter: /^entry:/ }, ({ path: name }) => ({ path: name.slice('entry:'.length), namespace: NAMESPACE }));
    onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path: name }) => ({
      contents: byName.get(name) ?? '',
      resolveDir: root,
      loader: 'ts',
    }));
  },
});

const FRAMEWORK = '@google-cloud/functions-framework';
const FRAMEWORK_ENTRY = `module.exports = { ...require('${FRAMEWORK}'), ...require('${FRAMEWORK}/testing') };`;

/** The functions framework is half of a function, and one that takes messages never needs it: it is a file of its own. */
const frameworkApart = (resolveDir: string): Plugin => ({
  name: 'framework-apart',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^${FRAMEWORK}(?:/testing)?$`) }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './framework.cjs', external: true } : undefined,
    );
    onResolve({ filter: /^framework:/ }, ({ path }) => ({ path, namespace: 'framework' }));
    onLoad({ filter: /.*/, namespace: 'framework' }, () => ({ contents: FRAMEWORK_ENTRY, resolveDir }));
  },
});

/**
 * OpenTelemetry's packages as ECMAScript modules, of which only what is used is bundled: as CommonJS they took ten times as
 * long to load. Not for the instrumentations, some of which need CommonJS.
 */
const onlyWhatIsUsed: Plugin = {
  name: 'only-what-is-used',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^(@opentelemetry\/|#platform$)/ }, async ({ path: wanted, pluginData, ...from }) => {
      if (pluginData === 'resolved') return undefined;
      const { kind, importer, namespace, resolveDir } = from;
      const found = await resolve(wanted, { kind, importer, namespace, resolveDir, pluginData: 'resolved' });
      const esm = found.path.replace(/\.cjs$/, '.mjs');
      return found.errors.length === 0 && existsSync(esm) ? { path: esm, sideEffects: found.sideEffects } : found;
    });
  },
};

/** Throws when a source does not build. */
export function compile(
  root: string,
  functions: readonly Entry[],
  { external, instrumented }: Options,
): Promise<BuildResult<{ write: false; metafile: true }>> {
  return build({
    plugins: [
      entries(root, functions, instrumented),
      frameworkApart(root),
      ...(instrumented ? [] : [onlyWhatIsUsed, lazy]),
    ],
    inject: instrumented ? [] : ['scripts/ship/bundle/performance.ts'],
    entryPoints: functions.flatMap(({ name }) => [
      { in: `entry:${name}`, out: path.join(name, 'main') },
      { in: `framework:${name}`, out: path.join(name, 'framework') },
    ]),
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    absWorkingDir: root,
    // A node_modules that is a link names its files as any other does.
    preserveSymlinks: true,
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    target: 'node24',
    // What an import() of an external package loads would not be instrumented.
    supported: { 'dynamic-import': false },
    format: 'cjs',
    external: [...external],
    alias: { domain: './scripts/ship/bundle/no-domain.cjs' },
    // Some packages have an ESM build that a CommonJS bundle cannot run (import.meta.url).
    conditions: ['require', 'node'],
    mainFields: ['main', 'module'],
    sourcemap: 'linked',
    logLevel: 'warning',
    legalComments: 'none',
  });
}
