/** app/ → the page, its script and its style, bundled in memory; each with the headers it is served with. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build } from 'esbuild';

export type File = { readonly body: Buffer; readonly gzipped: Buffer; readonly type: string; readonly etag: string };
/** Path → file. */
export type Pages = ReadonlyMap<string, File>;

const APP = path.join(import.meta.dirname, 'app');
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.svg': 'image/svg+xml',
};

async function fileOf(name: string, contents: Uint8Array): Promise<File> {
  const body = Buffer.from(contents);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { body, gzipped: await promisify(gzip)(body), type: TYPES[path.extname(name)] ?? 'text/plain', etag };
}

/** Throws when a source does not build. */
export async function buildPages(): Promise<Pages> {
  const { outputFiles } = await build({
    entryPoints: [{ in: path.join(APP, 'main.tsx'), out: 'console' }],
    outdir: APP,
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
    legalComments: 'none',
  });
  const built = outputFiles.map(({ path: file, contents }) => [path.basename(file), contents] as const);
  const as = async (name: string, contents: Uint8Array) => [`/console/${name}`, await fileOf(name, contents)] as const;
  const files = await Promise.all(built.map(([name, contents]) => as(name, contents)));
  const page = await fileOf('index.html', await readFile(path.join(APP, 'index.html')));
  const icon = await as('icon.svg', await readFile(path.join(APP, 'icon.svg')));
  return new Map([['/console', page], icon, ...files]);
}
