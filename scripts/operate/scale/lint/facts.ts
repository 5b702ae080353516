/** Kubernetes objects and the functions' definitions → the facts that the rules of lint look at. Pure. */

import { commonSettings } from '../../../../functions/runtime/function.ts';
import { RETRIES_IN_FLIGHT } from '../../../../functions/runtime/handling/consume.ts';
import {
  configMapsOf,
  type Deployment,
  type KubernetesObject,
  type Named,
  type ScaledObject,
  specsOf,
} from '../objects.ts';

/** Of a function: messages in work in one process at the same time. */
export type Defined = { readonly name: string; readonly inFlight: number };
/** Seconds in which 99 of 100 calls of a function's handler end. */
export type Handlers = Readonly<Record<string, number>>;

export type Watched = {
  readonly type: string;
  readonly stream: string | undefined;
  readonly consumer: string | undefined;
  readonly threshold: number;
  readonly activation: number;
  readonly cached: boolean;
  /** Messages of this consumer in work in one replica. */
  readonly inFlight: number;
  /** Where KEDA reads: of the trigger, else of its authentication; undefined where that is a secret. */
  readonly endpoint: string | undefined;
  readonly account: string | undefined;
  /** Names of what is given, though not always its value. */
  readonly given: readonly string[];
};
type Consumer = {
  readonly name: string;
  readonly stream: string;
  readonly ackWait: string | undefined;
  readonly maxAckPending: number;
};
export type EventFunction = {
  readonly name: string;
  readonly rule: ScaledObject;
  readonly watched: readonly Watched[];
  readonly graceSeconds: number | undefined;
  /** What it may take to finish, as it is set, with the pause before it is told. */
  readonly drainSeconds: number;
  readonly handlerSeconds: number | undefined;
};
export type Facts = {
  readonly functions: readonly EventFunction[];
  readonly consumers: readonly Consumer[];
  readonly streams: readonly { readonly name: string; readonly replicas: number }[];
  readonly http: readonly { readonly name: string; readonly timeoutSeconds: number }[];
  /** Accounts are known by the public key of an operator's JWTs, not by a name. */
  readonly jwt: boolean;
};

type Maps = ReturnType<typeof configMapsOf>;

function drainSecondsOf(deployment: Deployment | undefined, maps: Maps): number {
  const [container] = deployment?.template.spec.containers ?? [];
  const fromMaps = container?.envFrom.map(({ configMapRef }) => maps.get(configMapRef?.name ?? '')?.DRAIN_SECONDS);
  const own = container?.env.find(({ name }) => name === 'DRAIN_SECONDS')?.value;
  const drain = Number(
    own ?? fromMaps?.findLast((value) => value !== undefined) ?? commonSettings.DRAIN_SECONDS.default,
  );
  return drain + (container?.lifecycle?.preStop?.sleep?.seconds ?? 0);
}

export function factsOf(
  objects: readonly KubernetesObject[],
  defined: readonly Defined[],
  handlers: Handlers = {},
  jwt = false,
): Facts {
  const maps = configMapsOf(objects);
  const deployments = specsOf(objects, 'apps/v1 Deployment');
  const authentications = specsOf(objects, 'keda.sh/v1alpha1 TriggerAuthentication');
  const streams = specsOf(objects, 'jetstream.nats.io/v1beta2 Stream');
  const consumers = specsOf(objects, 'jetstream.nats.io/v1beta2 Consumer');
  const accounts = specsOf(objects, 'jetstream.nats.io/v1beta2 Account');

  const watch = (
    name: string,
    { type, metadata, useCachedMetrics, authenticationRef }: ScaledObject['triggers'][number],
  ): Watched => {
    const authentication = authentications.find((one) => one.name === authenticationRef?.name);
    const targets = [...(authentication?.configMapTargetRef ?? []), ...(authentication?.secretTargetRef ?? [])];
    const settingOf = (parameter: string): string | undefined => {
      const from = authentication?.configMapTargetRef?.find((target) => target.parameter === parameter);
      return metadata[parameter] ?? (from && maps.get(from.name)?.[from.key]);
    };
    return {
      type,
      stream: metadata.stream,
      consumer: metadata.consumer,
      threshold: Number(metadata.lagThreshold ?? metadata.targetQueryValue ?? 10),
      activation: Number(metadata.activationLagThreshold ?? metadata.activationTargetQueryValue ?? 0),
      cached: useCachedMetrics ?? false,
      inFlight:
        metadata.consumer === name ? (defined.find((one) => one.name === name)?.inFlight ?? 1) : RETRIES_IN_FLIGHT,
      endpoint: settingOf('natsServerMonitoringEndpoint'),
      account: settingOf('account') ?? settingOf('accountID'),
      given: [...Object.keys(metadata), ...targets.map(({ parameter }) => parameter)],
    };
  };

  return {
    functions: specsOf(objects, 'keda.sh/v1alpha1 ScaledObject').map((rule) => {
      const { name } = rule;
      const deployment = deployments.find((one) => one.name === name);
      return {
        name,
        rule,
        watched: rule.triggers.map((one) => watch(name, one)),
        graceSeconds: deployment?.template.spec.terminationGracePeriodSeconds,
        drainSeconds: drainSecondsOf(deployment, maps),
        handlerSeconds: handlers[name],
      };
    }),
    consumers: consumers.map(({ durableName, streamName, ackWait, maxAckPending }) => ({
      name: durableName,
      stream: streamName,
      ackWait,
      maxAckPending,
    })),
    streams,
    http: specsOf(objects, 'serving.knative.dev/v1 Service').map(({ name, template }) => ({
      name,
      timeoutSeconds: template.spec.timeoutSeconds,
    })),
    jwt:
      jwt || [...accounts, ...streams, ...consumers].some((one: Named<{ creds?: unknown }>) => one.creds !== undefined),
  };
}
