/** Functions → their bundles, by one run of esbuild that reads each source once; a bundle is the same whichever others are made with it. */
import path from 'node:path';
import { type BuildResult, build, type Plugin } from 'esbuild';

/** `source` is the path of function.ts from the repository. */
export type Entry = { readonly name: string; readonly source: string };

/** Where a bundle is put, from the repository. */
export const outputOf = (name: string): string => `dist/${name}/index.cjs`;

const NAMESPACE = 'entry';

/** All paths are from the repository: nothing in a bundle depends on the folder that it is built in. */
const entries = (root: string, functions: readonly Entry[]): Plugin => ({
  name: 'entries',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^entry:/ }, ({ path: name }) => ({ path: name.slice('entry:'.length), namespace: NAMESPACE }));
    onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path: name }) => ({
      contents: [
        `import definition from './${functions.find((fn) => fn.name === name)?.source}';`,
        `import { run } from './functions/runtime/main.ts';`,
        `void run(${JSON.stringify(name)}, definition);`,
      ].join('\n'),
      resolveDir: root,
      loader: 'ts',
    }));
  },
});

/** `external` packages stay outside. Throws when a source does not build. */
export function compile(
  root: string,
  functions: readonly Entry[],
  external: readonly string[],
): Promise<BuildResult<{ write: false; metafile: true }>> {
  return build({
    plugins: [entries(root, functions)],
    entryPoints: functions.map(({ name }) => ({ in: `entry:${name}`, out: path.join(name, 'index') })),
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
    format: 'cjs',
    external: [...external],
    // Some packages have an ESM build that a CommonJS bundle cannot run (import.meta.url).
    conditions: ['require', 'node'],
    mainFields: ['main', 'module'],
    sourcemap: 'linked',
    logLevel: 'warning',
    legalComments: 'none',
  });
}
