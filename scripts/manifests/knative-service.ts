/** A Knative Service (YAML) → its rule, typed; a field that is not followed here is an error. */
import * as z from 'zod/mini';
import {
  metadata,
  positive,
  quotedPositive,
  quotedSeconds,
  quotedWhole,
  readResource,
  sameName,
  whole,
} from './yaml-file.ts';

export type HttpRule = {
  readonly scaledBy: 'knative';
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly targetConcurrency: number;
  /** 0 to 1: of the target, what a replica is meant to have in work. */
  readonly utilization: number;
  readonly windowSeconds: number;
  /** How long the last replica stays after a window without requests. */
  readonly retentionSeconds: number;
  /** Requests at once in one replica, at most; 0 is no limit. */
  readonly containerConcurrency: number;
  readonly timeoutSeconds: number;
  readonly responseStartTimeoutSeconds: number;
};

const annotations = z.strictObject({
  'autoscaling.knative.dev/class': z.literal('kpa.autoscaling.knative.dev'),
  'autoscaling.knative.dev/metric': z.literal('concurrency'),
  'autoscaling.knative.dev/target': quotedPositive,
  'autoscaling.knative.dev/target-utilization-percentage': quotedPositive,
  'autoscaling.knative.dev/min-scale': quotedWhole,
  'autoscaling.knative.dev/max-scale': quotedPositive,
  'autoscaling.knative.dev/initial-scale': z.optional(quotedWhole),
  'autoscaling.knative.dev/scale-to-zero-pod-retention-period': quotedSeconds,
  'autoscaling.knative.dev/window': quotedSeconds,
});
const revision = z.strictObject({
  containerConcurrency: whole,
  timeoutSeconds: positive,
  responseStartTimeoutSeconds: positive,
  idleTimeoutSeconds: z.optional(whole),
  containers: z.array(z.record(z.string(), z.unknown())).check(z.length(1, 'must be one container')),
});
const knativeService = z.strictObject({
  apiVersion: z.literal('serving.knative.dev/v1'),
  kind: z.literal('Service'),
  metadata,
  spec: z.strictObject({
    template: z.strictObject({ metadata: z.strictObject({ annotations }), spec: revision }),
  }),
});

export function readKnativeService(file: string, name: string): HttpRule {
  const { metadata, spec } = readResource(file, knativeService);
  sameName(file, name, { 'metadata.name': metadata.name });
  const { annotations, ...template } = { annotations: spec.template.metadata.annotations, ...spec.template.spec };
  return {
    scaledBy: 'knative',
    name,
    min: Number(annotations['autoscaling.knative.dev/min-scale']),
    max: Number(annotations['autoscaling.knative.dev/max-scale']),
    targetConcurrency: Number(annotations['autoscaling.knative.dev/target']),
    utilization: Number(annotations['autoscaling.knative.dev/target-utilization-percentage']) / 100,
    windowSeconds: Number.parseInt(annotations['autoscaling.knative.dev/window'], 10),
    retentionSeconds: Number.parseInt(annotations['autoscaling.knative.dev/scale-to-zero-pod-retention-period'], 10),
    containerConcurrency: template.containerConcurrency,
    timeoutSeconds: template.timeoutSeconds,
    responseStartTimeoutSeconds: template.responseStartTimeoutSeconds,
  };
}
