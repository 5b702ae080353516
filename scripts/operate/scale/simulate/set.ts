/** `lagThreshold=50,max=20` → the rule changed so; an error names the key and what it may be. Pure. */
import { UsageError } from '../../../cli/cli.ts';
import type { TunedRule } from '../rule.ts';

type Bounds = { readonly least: number; readonly most?: number; readonly part?: boolean; readonly cluster?: boolean };

/** `cluster`: the local platform does not follow it. */
const KEYS: Readonly<Record<keyof TunedRule, Bounds>> = {
  pollingInterval: { least: 1 },
  cooldownPeriod: { least: 0 },
  min: { least: 0 },
  max: { least: 1, most: 10_000 },
  lagThreshold: { least: 1 },
  activationLagThreshold: { least: 0 },
  scaleDownStabilization: { least: 0, most: 3_600 },
  scaleUpStabilization: { least: 0, most: 3_600, cluster: true },
  scaleUpPods: { least: 0, cluster: true },
  scaleUpPercent: { least: 0, cluster: true },
  scaleUpPeriod: { least: 1, most: 1_800, cluster: true },
  scaleDownPods: { least: 0, cluster: true },
  scaleDownPercent: { least: 0, most: 100, cluster: true },
  scaleDownPeriod: { least: 1, most: 1_800, cluster: true },
  tolerance: { least: 0, most: 1, part: true, cluster: true },
  useCachedMetrics: { least: 0, most: 1, cluster: true },
  inFlight: { least: 1 },
  maxAckPending: { least: 1 },
};

const MOST = 1_000_000_000;
const isKey = (key: string): key is keyof TunedRule => Object.hasOwn(KEYS, key);

function read(pair: string, local: boolean): [keyof TunedRule, number] {
  const [, key = '', text = ''] = /^([A-Za-z]+)=(.+)$/.exec(pair) ?? [];
  if (!key) throw new UsageError(`--set takes key=number, with commas between them, not '${pair}'`);
  if (!isKey(key)) throw new UsageError(`--set: there is no '${key}'; there are ${Object.keys(KEYS).join(', ')}`);
  const { least, most = MOST, part, cluster } = KEYS[key];
  const value = Number(text);
  if (!(value >= least && value <= most) || !(part || Number.isInteger(value)))
    throw new UsageError(
      `--set: ${key} must be a ${part ? '' : 'whole '}number from ${least} to ${most}, not '${text}'`,
    );
  if (local && cluster) throw new UsageError(`--set: ${key} is not followed by the local platform; leave out --local`);
  return [key, value];
}

export function withSet(rule: TunedRule, pairs: string, local: boolean): TunedRule {
  const changes = pairs.split(',').map((pair) => read(pair.trim(), local));
  const changed: TunedRule = { ...rule, ...Object.fromEntries(changes) };
  if (changed.min > changed.max) throw new UsageError(`--set: min is ${changed.min}, above max, ${changed.max}`);
  return changed;
}
