/** A KEDA ScaledObject (YAML) → its rule, typed; a field that is not followed here is an error. */
import * as z from 'zod/mini';
import { metadata, positive, quotedPositive, quotedWhole, readResource, sameName, text, whole } from './yaml-file.ts';

export type NatsTrigger = {
  readonly type: 'nats-jetstream';
  readonly stream: string;
  readonly consumer: string;
  readonly lagThreshold: number;
  readonly activationLagThreshold: number;
};
export type PostgresTrigger = {
  readonly type: 'postgresql';
  readonly query: string;
  readonly targetQueryValue: number;
  readonly activationTargetQueryValue: number;
};
export type Trigger = NatsTrigger | PostgresTrigger;

export type EventRule = {
  readonly scaledBy: 'keda';
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly pollingIntervalSeconds: number;
  readonly cooldownSeconds: number;
  readonly scaleDownStabilizationSeconds: number;
  readonly triggers: readonly Trigger[];
};

const common = {
  name: z.optional(text),
  metricType: z.optional(z.literal('AverageValue')),
  useCachedMetrics: z.optional(z.boolean()),
  authenticationRef: z.strictObject({ name: text }),
};
const natsTrigger = z.strictObject({
  type: z.literal('nats-jetstream'),
  ...common,
  metadata: z.strictObject({
    stream: text,
    consumer: text,
    lagThreshold: quotedPositive,
    activationLagThreshold: quotedWhole,
  }),
});
const postgresTrigger = z.strictObject({
  type: z.literal('postgresql'),
  ...common,
  metadata: z.strictObject({
    query: text,
    targetQueryValue: quotedPositive,
    activationTargetQueryValue: quotedWhole,
  }),
});
const anyTrigger = z.discriminatedUnion('type', [natsTrigger, postgresTrigger]);

const noWindow = 'must be 0: scaling up is never held back here';
const behavior = z.strictObject({
  scaleUp: z.optional(z.strictObject({ stabilizationWindowSeconds: z.literal(0, noWindow) })),
  scaleDown: z.strictObject({ stabilizationWindowSeconds: whole }),
});
const scaledObject = z.strictObject({
  apiVersion: z.literal('keda.sh/v1alpha1'),
  kind: z.literal('ScaledObject'),
  metadata,
  spec: z.strictObject({
    scaleTargetRef: z.strictObject({ apiVersion: z.optional(text), kind: z.optional(text), name: text }),
    pollingInterval: positive,
    cooldownPeriod: whole,
    minReplicaCount: whole,
    maxReplicaCount: positive,
    // For a cluster: here a failed reading leaves the replicas as they are.
    fallback: z.optional(z.record(z.string(), z.unknown())),
    advanced: z.strictObject({ horizontalPodAutoscalerConfig: z.strictObject({ behavior }) }),
    triggers: z.array(anyTrigger).check(z.minLength(1, 'must have a trigger')),
  }),
});

export function readScaledObject(file: string, name: string): EventRule {
  const { metadata, spec } = readResource(file, scaledObject);
  sameName(file, name, { 'metadata.name': metadata.name, 'spec.scaleTargetRef.name': spec.scaleTargetRef.name });
  return {
    scaledBy: 'keda',
    name,
    min: spec.minReplicaCount,
    max: spec.maxReplicaCount,
    pollingIntervalSeconds: spec.pollingInterval,
    cooldownSeconds: spec.cooldownPeriod,
    scaleDownStabilizationSeconds:
      spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds,
    triggers: spec.triggers.map(toTrigger),
  };
}

function toTrigger(trigger: z.infer<typeof anyTrigger>): Trigger {
  if (trigger.type === 'nats-jetstream') {
    const { stream, consumer, lagThreshold, activationLagThreshold } = trigger.metadata;
    return {
      type: trigger.type,
      stream,
      consumer,
      lagThreshold: Number(lagThreshold),
      activationLagThreshold: Number(activationLagThreshold),
    };
  }
  const { query, targetQueryValue, activationTargetQueryValue } = trigger.metadata;
  return {
    type: trigger.type,
    query,
    targetQueryValue: Number(targetQueryValue),
    activationTargetQueryValue: Number(activationTargetQueryValue),
  };
}
