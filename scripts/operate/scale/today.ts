/** A function's manifests → its rule as numbers, of an overlay or as the local platform reads them. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { BATCH } from '../../../functions/runtime/handling/projection.ts';
import { UsageError } from '../../cli/cli.ts';
import { type DefinedFunction, readDefinitions } from '../../registry/functions.ts';
import { repository } from '../../registry/repository.ts';
import { build } from './kustomize.ts';
import { type KubernetesObject, type ScaledObject, specsOf } from './objects.ts';
import { KUBERNETES_DEFAULTS, type Service, type TunedRule } from './rule.ts';

export type Today = {
  readonly name: string;
  readonly rule: TunedRule;
  readonly service: Omit<Service, 'ms'>;
};

/** Projectors handle what has come together. */
const serviceOf = ({ kind }: DefinedFunction): Today['service'] =>
  kind === 'projector' ? { batch: BATCH, calls: 1 } : { batch: 1 };

const FOLDER = 'knative/functions';

function localObjects(name: string): KubernetesObject[] {
  const files = ['scaledobject.yaml', 'consumer.yaml'].map((file) => path.join(repository, FOLDER, name, file));
  return files
    .filter((file) => existsSync(file))
    .flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')).map((one) => one.toJS() as KubernetesObject));
}

const policyOf = (
  policies: readonly { type: string; value: number; periodSeconds: number }[] | undefined,
  type: 'Pods' | 'Percent',
): number => policies?.find((policy) => policy.type === type)?.value ?? 0;

/** What the manifest says of it; Kubernetes fills in the rest. */
function behaviourOf({ advanced }: ScaledObject): Partial<TunedRule> {
  const { scaleUp, scaleDown } = advanced?.horizontalPodAutoscalerConfig?.behavior ?? {};
  const up = scaleUp?.policies;
  const down = scaleDown?.policies;
  return {
    scaleUpStabilization: scaleUp?.stabilizationWindowSeconds ?? KUBERNETES_DEFAULTS.scaleUpStabilization,
    scaleDownStabilization: scaleDown?.stabilizationWindowSeconds ?? KUBERNETES_DEFAULTS.scaleDownStabilization,
    ...(up && {
      scaleUpPods: policyOf(up, 'Pods'),
      scaleUpPercent: policyOf(up, 'Percent'),
      scaleUpPeriod: up[0]?.periodSeconds ?? 15,
    }),
    ...(down && {
      scaleDownPods: policyOf(down, 'Pods'),
      scaleDownPercent: policyOf(down, 'Percent'),
      scaleDownPeriod: down[0]?.periodSeconds ?? 15,
    }),
  };
}

function ruleOf({ name, inFlight }: DefinedFunction, objects: readonly KubernetesObject[]): TunedRule | undefined {
  const scaled = specsOf(objects, 'keda.sh/v1alpha1 ScaledObject').find((one) => one.name === name);
  const trigger = scaled?.triggers.find(({ metadata }) => metadata.consumer === name);
  const consumers = specsOf(objects, 'jetstream.nats.io/v1beta2 Consumer');
  const consumer = consumers.find(({ durableName }) => durableName === name);
  if (!scaled || !trigger || !consumer) return undefined;
  return {
    ...KUBERNETES_DEFAULTS,
    ...behaviourOf(scaled),
    pollingInterval: scaled.pollingInterval,
    cooldownPeriod: scaled.cooldownPeriod,
    min: scaled.minReplicaCount,
    max: scaled.maxReplicaCount,
    lagThreshold: Number(trigger.metadata.lagThreshold ?? 10),
    activationLagThreshold: Number(trigger.metadata.activationLagThreshold ?? 0),
    useCachedMetrics: trigger.useCachedMetrics ? 1 : 0,
    inFlight,
    maxAckPending: consumer.maxAckPending,
  };
}

async function objectsOf(overlay: string | undefined, names: readonly string[]): Promise<readonly KubernetesObject[]> {
  if (!overlay) return names.flatMap(localObjects);
  const folder = path.join('knative/overlays', overlay);
  if (!existsSync(path.join(repository, folder))) throw new UsageError(`--overlay: there is no ${folder}`);
  return build<KubernetesObject>(folder);
}

/** Those of all functions that lag scales, in an overlay or, without one, as `npm start` reads them. */
export async function allToday(overlay: string | undefined): Promise<Today[]> {
  const definitions = await readDefinitions();
  const objects = await objectsOf(
    overlay,
    definitions.map(({ name }) => name),
  );
  return definitions.flatMap((defined) => {
    const rule = ruleOf(defined, objects);
    return rule ? [{ name: defined.name, rule, service: serviceOf(defined) }] : [];
  });
}

/** As `allToday`, of one. Throws UsageError for a function that lag does not scale. */
export async function todayOf(name: string, overlay: string | undefined): Promise<Today> {
  const definitions = await readDefinitions();
  const defined = definitions.find((one) => one.name === name);
  const names = definitions.filter(({ consumes }) => consumes.length > 0).map((one) => one.name);
  if (!defined) throw new UsageError(`there is no function '${name}'; there are ${names.join(', ')}`);
  const rule = ruleOf(defined, await objectsOf(overlay, [name]));
  if (!rule) throw new UsageError(`${name} is not scaled by the lag of a consumer: there is no rule to simulate`);
  return { name, rule, service: serviceOf(defined) };
}
