/** The overlays as kustomize builds them → objects and workloads, typed as far as tests ask; each is built once a test file. */
import type { Definition } from '../../functions/runtime/function.ts';
import { listFunctions } from '../../scripts/registry/functions.ts';
import type { KubernetesObject } from './kubernetes-schemas.ts';
import { build } from './kustomize.ts';

export const OVERLAYS = ['production', 'local-cluster'] as const;
export type Overlay = (typeof OVERLAYS)[number];

/** The label by which all of a function is selected. */
export const NAME = 'app.kubernetes.io/name';

const functions = await listFunctions();
export const names = functions.map(({ name }) => name);

export const definitionOf = async (name: string): Promise<Definition> => {
  const source = functions.find((one) => one.name === name)?.source ?? '';
  return ((await import(source)) as { default: Definition }).default;
};

type Container = {
  readonly name?: string;
  readonly image: string;
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly startupProbe?: object;
  readonly livenessProbe: object;
  readonly readinessProbe: object;
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
};
type PodSpec = {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
};
export type Workload = KubernetesObject & {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: PodSpec;
    };
  };
};

export const isWorkload = (object: KubernetesObject): object is Workload =>
  object.kind === 'Deployment' || object.apiVersion === 'serving.knative.dev/v1';

/** Builds both; the objects of one by its name. */
export async function buildOverlays(): Promise<Readonly<Record<Overlay, readonly KubernetesObject[]>>> {
  const [production, local] = await Promise.all(OVERLAYS.map((overlay) => build(`knative/overlays/${overlay}`)));
  return { production: production ?? [], 'local-cluster': local ?? [] };
}
