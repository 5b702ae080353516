/** knative/functions/<name>/ → the scaling rule of each function, typed; errors name the file, the field and what to do. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod/mini';
import { shown } from '../registry/repository.ts';
import { type ConsumerSpec, FUNCTIONS, readShopConsumers } from './jetstream-yaml.ts';
import { type HttpRule, readKnativeService } from './knative-service.ts';
import { type EventRule, readScaledObject } from './scaled-object.ts';
import { metadata, positive, readResource, sameName, text } from './yaml-file.ts';

export type { HttpRule } from './knative-service.ts';
export type { EventRule, Trigger } from './scaled-object.ts';
/** Always on; the local platform runs one replica of it. */
export type ServiceRule = {
  readonly scaledBy: 'hpa';
  readonly name: string;
  readonly min: number;
  readonly max: number;
};
export type Rule = EventRule | HttpRule | ServiceRule;

const autoscaler = z.strictObject({
  apiVersion: z.literal('autoscaling/v2'),
  kind: z.literal('HorizontalPodAutoscaler'),
  metadata,
  spec: z.strictObject({
    scaleTargetRef: z.strictObject({ apiVersion: text, kind: text, name: text }),
    minReplicas: positive,
    maxReplicas: positive,
    metrics: z.array(z.record(z.string(), z.unknown())),
    behavior: z.optional(z.record(z.string(), z.unknown())),
  }),
});

function readAutoscaler(file: string, name: string): ServiceRule {
  const { metadata, spec } = readResource(file, autoscaler);
  sameName(file, name, { 'metadata.name': metadata.name, 'spec.scaleTargetRef.name': spec.scaleTargetRef.name });
  return { scaledBy: 'hpa', name, min: spec.minReplicas, max: spec.maxReplicas };
}

const READERS: Readonly<Record<string, (file: string, name: string) => Rule>> = {
  'scaledobject.yaml': readScaledObject,
  'service.yaml': readKnativeService,
  'hpa.yaml': readAutoscaler,
};

/** The rules of all functions; `consumers` are those that exist, one of which each nats-jetstream trigger must name. */
export function readRules(folder: string, consumers: readonly ConsumerSpec[]): Rule[] {
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  // Git keeps no empty folder: one is what is left of a function that was removed.
  const used = folders.filter(({ name }) => readdirSync(path.join(folder, name)).length > 0);
  return used.map(({ name }) => readRule(path.join(folder, name), name, consumers));
}

function readRule(folder: string, name: string, consumers: readonly ConsumerSpec[]): Rule {
  const found = Object.keys(READERS).filter((file) => existsSync(path.join(folder, file)));
  const [fileName, ...others] = found;
  const read = READERS[fileName ?? ''];
  const wanted = Object.keys(READERS).join(', ');
  if (!fileName || !read) throw new Error(`${shown(folder)} has no scaling rule; add one of ${wanted}`);
  if (others.length > 0) throw new Error(`${shown(folder)} has ${found.join(' and ')}; keep one of them`);
  const file = path.join(folder, fileName);
  const rule = read(file, name);
  if (rule.min > rule.max)
    throw new Error(`${shown(file)}: the least number of replicas, ${rule.min}, is above the most, ${rule.max}`);
  if (rule.scaledBy === 'keda') checkConsumers(file, rule, consumers);
  return rule;
}

/** A trigger whose consumer is missing never wakes its function. */
function checkConsumers(file: string, rule: EventRule, consumers: readonly ConsumerSpec[]): void {
  for (const trigger of rule.triggers) {
    if (trigger.type !== 'nats-jetstream') continue;
    const { stream, consumer } = trigger;
    if (consumers.some((known) => known.streamName === stream && known.durableName === consumer)) continue;
    throw new Error(
      `${shown(file)}: spec.triggers: no consumer.yaml declares a consumer '${consumer}' of stream '${stream}'; ` +
        'correct the trigger, or add the Consumer',
    );
  }
}

/** Consumers of a function; throws when a manifest is wrong. */
export function declaredConsumers(name: string): ConsumerSpec[] {
  const consumers = readShopConsumers();
  const rule = readRules(FUNCTIONS, consumers).find((one) => one.name === name);
  if (!rule) throw new Error(`knative/functions/${name} is not there: the function has no scaling rule`);
  const named = 'triggers' in rule ? rule.triggers.flatMap((one) => ('consumer' in one ? [one.consumer] : [])) : [];
  return consumers.filter(({ durableName }) => named.includes(durableName));
}
