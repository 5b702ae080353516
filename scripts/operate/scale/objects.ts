/** Kubernetes objects, as applied → what scaling depends on, typed; an object that is not as it must be is an error that names it. */
import * as z from 'zod/mini';
import { validate } from '../../../functions/runtime/schema.ts';

export type KubernetesObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
};

const text = z.string();
const count = z.number();
const policies = z.optional(
  z.array(z.object({ type: z.enum(['Pods', 'Percent']), value: count, periodSeconds: count })),
);
const side = z.optional(z.object({ stabilizationWindowSeconds: z.optional(count), policies }));
const behavior = z.optional(z.object({ scaleUp: side, scaleDown: side }));
const trigger = z.object({
  type: text,
  useCachedMetrics: z.optional(z.boolean()),
  authenticationRef: z.optional(z.object({ name: text })),
  metadata: z.record(text, text),
});
const scaledObject = z.object({
  pollingInterval: z._default(count, 30),
  cooldownPeriod: z._default(count, 300),
  minReplicaCount: z._default(count, 0),
  maxReplicaCount: z._default(count, 100),
  fallback: z.optional(z.looseObject({})),
  advanced: z.optional(z.object({ horizontalPodAutoscalerConfig: z.optional(z.object({ behavior })) })),
  triggers: z.array(trigger),
});
const consumer = z.object({
  streamName: text,
  durableName: text,
  ackWait: z.optional(text),
  maxAckPending: z._default(count, 1_000),
  creds: z.optional(z.unknown()),
});
const stream = z.object({ name: text, replicas: z._default(count, 1), creds: z.optional(z.unknown()) });
const container = z.object({
  env: z._default(z.array(z.object({ name: text, value: z.optional(text) })), []),
  envFrom: z._default(z.array(z.object({ configMapRef: z.optional(z.object({ name: text })) })), []),
  lifecycle: z.optional(
    z.object({ preStop: z.optional(z.object({ sleep: z.optional(z.object({ seconds: count })) })) }),
  ),
});
const deployment = z.object({
  template: z.object({
    spec: z.object({ terminationGracePeriodSeconds: z._default(count, 30), containers: z.array(container) }),
  }),
});
const knativeService = z.object({ template: z.object({ spec: z.object({ timeoutSeconds: z._default(count, 300) }) }) });
const target = z.array(z.object({ parameter: text, name: text, key: text }));
const authentication = z.object({
  configMapTargetRef: z.optional(target),
  secretTargetRef: z.optional(target),
});
const account = z.object({ creds: z.optional(z.unknown()) });

const specs = {
  'keda.sh/v1alpha1 ScaledObject': scaledObject,
  'keda.sh/v1alpha1 TriggerAuthentication': authentication,
  'jetstream.nats.io/v1beta2 Consumer': consumer,
  'jetstream.nats.io/v1beta2 Stream': stream,
  'jetstream.nats.io/v1beta2 Account': account,
  'apps/v1 Deployment': deployment,
  'serving.knative.dev/v1 Service': knativeService,
} as const;
type Specs = typeof specs;

export type Named<Spec> = { readonly name: string } & Spec;
export type ScaledObject = Named<z.infer<typeof scaledObject>>;
export type Deployment = Named<z.infer<typeof deployment>>;

/** The objects of a kind, with their names; a Stream has its own, which counts. */
export function specsOf<Which extends keyof Specs>(
  objects: readonly KubernetesObject[],
  which: Which,
): Named<z.infer<Specs[Which]>>[] {
  return objects
    .filter(({ apiVersion, kind }) => `${apiVersion} ${kind}` === which)
    .map((object) => {
      const { spec } = object as unknown as { spec?: unknown };
      const { name } = object.metadata;
      const typed = validate(specs[which] as z.ZodMiniType, spec ?? {}, `${object.kind} ${name}`);
      return { name, ...(typed as z.infer<Specs[Which]>) };
    });
}

/** Name → what is in it. */
export function configMapsOf(
  objects: readonly KubernetesObject[],
): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const maps = objects.filter(({ apiVersion, kind }) => `${apiVersion} ${kind}` === 'v1 ConfigMap');
  const data = z._default(z.record(text, text), {});
  return new Map(
    maps.map((object) => {
      const { name } = object.metadata;
      return [name, validate(data, (object as unknown as { data?: unknown }).data, `ConfigMap ${name}`)];
    }),
  );
}
