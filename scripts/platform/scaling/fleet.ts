/** Bundles and rules → all functions: services always on, the others scaled; each state told, all stopped in order. */
import path from 'node:path';
import type { EventRule, HttpRule, Rule } from '../../manifests/rules.ts';
import type { Bundle } from '../../ship/build.ts';
import { startKeda } from './keda.ts';
import { type HttpScaler, startKnative } from './knative.ts';
import type { Metrics } from './metrics.ts';
import { openReplicas, type Replicas } from './replicas.ts';
import { type FunctionState, type Scaler, stateOf } from './scaler.ts';

export type Fleet = {
  /** Resolves when every service is ready; throws why one is not. */
  startServices(): Promise<void>;
  startScaling(metrics: Metrics): void;
  /** Throws for one that no Knative Service scales. */
  http(name: string): HttpScaler;
  states(): FunctionState[];
  notReady(): string[];
  stopScaling(): void;
  stopFunctions(): Promise<void>;
  stopServices(): Promise<void>;
  kill(): void;
};
export type FleetOptions = {
  readonly bundles: readonly Bundle[];
  readonly rules: readonly Rule[];
  readonly environment: (bundle: Bundle) => Readonly<Record<string, string>>;
  readonly logs: string;
};

type Member = { readonly rule: Rule; readonly kind: string; readonly replicas: Replicas };

const SERVICE_START_MS = 40_000;

export function openFleet({ bundles, rules, environment, logs }: FleetOptions): Fleet {
  const members = rules.map((rule): Member => {
    const { name } = rule;
    const bundle = bundles.find((one) => one.name === name);
    if (!bundle)
      throw new Error(`knative/functions/${name} has no function: add functions/<context>/${name}/function.ts`);
    const logFile = path.join(logs, `${name}.log`);
    const replicas = openReplicas({ name, file: bundle.file, environment: environment(bundle), logFile });
    return { rule, kind: bundle.kind, replicas };
  });
  const orphan = bundles.find(({ name }) => !rules.some((rule) => rule.name === name));
  if (orphan) throw new Error(`Function ${orphan.name} has no scaling rule: add knative/functions/${orphan.name}/`);

  const services = members.filter(({ rule }) => rule.scaledBy === 'hpa');
  const scaled = members.filter(({ rule }) => rule.scaledBy !== 'hpa');
  const scalers = new Map<string, Scaler>();
  const activators = new Map<string, HttpScaler>();

  const stop = async (which: readonly Member[]): Promise<void> => {
    await Promise.all(which.map(({ replicas }) => replicas.stop()));
  };
  const startEvent = (rule: EventRule, replicas: Replicas, metrics: Metrics): void => {
    scalers.set(rule.name, startKeda(rule, replicas, metrics));
  };
  const startHttp = (rule: HttpRule, replicas: Replicas): void => {
    const scaler = startKnative(rule, replicas);
    scalers.set(rule.name, scaler);
    activators.set(rule.name, scaler);
  };

  return {
    async startServices() {
      for (const { replicas } of services) replicas.scaleTo(1, 'always on');
      await Promise.all(services.map(({ replicas }) => readyOrThrow(replicas)));
    },
    startScaling(metrics) {
      for (const { rule, replicas } of scaled) {
        if (rule.scaledBy === 'keda') startEvent(rule, replicas, metrics);
        if (rule.scaledBy === 'knative') startHttp(rule, replicas);
      }
    },
    http(name) {
      const scaler = activators.get(name);
      if (scaler) return scaler;
      throw new Error(
        `The gateway needs the HTTP function ${name} on Knative: add knative/functions/${name}/service.yaml`,
      );
    },
    states: () =>
      members.map(({ rule, kind, replicas }) =>
        stateOf(replicas, scalers.get(rule.name), { kind, min: rule.min, max: rule.max, ...thresholdOf(rule) }),
      ),
    notReady: () => [
      ...services
        .filter(({ replicas }) => replicas.ready().length === 0)
        .map(({ rule }) => `${rule.name} is not ready`),
      ...scaled.flatMap(({ rule, replicas }) => {
        const problem = replicas.problem() ?? scalers.get(rule.name)?.problem();
        return problem ? [`${rule.name}: ${problem}`] : [];
      }),
    ],
    stopScaling() {
      for (const scaler of scalers.values()) scaler.stop();
    },
    stopFunctions: () => stop(scaled),
    stopServices: () => stop(services),
    kill() {
      for (const { replicas } of members) replicas.kill();
    },
  };
}

/** What one replica is for. */
function thresholdOf(rule: Rule): { threshold?: number } {
  if (rule.scaledBy === 'hpa') return {};
  if (rule.scaledBy === 'knative') return { threshold: rule.targetConcurrency * rule.utilization };
  const [trigger] = rule.triggers;
  if (!trigger) return {};
  return { threshold: trigger.type === 'postgresql' ? trigger.targetQueryValue : trigger.lagThreshold };
}

function readyOrThrow(replicas: Replicas): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (act: () => void): void => {
      clearInterval(watch);
      clearTimeout(timer);
      act();
    };
    const look = (): void => {
      if (replicas.ready().length > 0) return end(resolve);
      const problem = replicas.problem();
      if (problem) end(() => reject(new Error(problem)));
    };
    const watch = setInterval(look, 20);
    const late = new Error(`${replicas.name} was not ready after ${SERVICE_START_MS / 1_000} s; its log says why`);
    const timer = setTimeout(() => end(() => reject(late)), SERVICE_START_MS);
  });
}
