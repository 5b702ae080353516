/** proto/ → functions/gen, by buf and ts-proto, offline. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { runTool } from '../ship/tool.ts';
import type { Generated } from './generated.ts';

const BUF = 'node_modules/@bufbuild/buf/bin/buf';

export async function protoFiles(): Promise<Generated> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-generate-'));
  try {
    const code = await runTool(BUF, ['generate', 'proto', '--template', 'proto/buf.gen.yaml', '--output', folder]);
    if (code !== 0) throw new Error(`buf could not generate code from proto/ (exit code ${code}); see above`);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    const contents = files.map(async (file) => [path.relative(folder, file), await readFile(file, 'utf8')] as const);
    return Object.fromEntries(await Promise.all(contents));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
