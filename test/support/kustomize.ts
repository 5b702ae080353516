/** A folder with a kustomization → the objects that would be applied. */
import { build as buildWith } from '../../scripts/operate/scale/kustomize.ts';
import type { KubernetesObject } from './kubernetes-schemas.ts';

export const build = (folder: string): Promise<KubernetesObject[]> => buildWith<KubernetesObject>(folder);
