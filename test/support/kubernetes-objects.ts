/** Kubernetes objects → what a test asks of them. Pure. */
import type { KubernetesObject } from './kubernetes-schemas.ts';

/** What a path of keys leads to. */
export const at = <T = unknown>(object: unknown, ...keys: readonly (string | number)[]): T =>
  keys.reduce((inner: unknown, key) => (inner as Record<string, unknown> | undefined)?.[key], object) as T;

export const kindOf = (objects: readonly KubernetesObject[], ...kinds: readonly string[]): KubernetesObject[] =>
  objects.filter(({ kind }) => kinds.includes(kind));
