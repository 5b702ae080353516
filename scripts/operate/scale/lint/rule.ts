/** What a rule of lint is, and how it looks at each function or trigger. Pure. */
import type { EventFunction, Facts, Watched } from './facts.ts';

/** `function` is whose manifests have it, `file` which of them. */
export type Finding = {
  readonly rule: string;
  readonly level: 'error' | 'warning';
  readonly function: string;
  readonly file: string;
  readonly reason: string;
  readonly fix: string;
};
export type Found = Pick<Finding, 'function' | 'reason' | 'fix'>;
export type Rule = {
  readonly level: Finding['level'];
  /** In which the fault is, in the folder of the function unless it is a path. */
  readonly file: string;
  find(facts: Facts): readonly Found[];
};

export const RULE = 'scaledobject.yaml';
export const CONSUMER = 'consumer.yaml';
export const PLATFORM = 'knative/platform/kustomization.yaml';

export const eachTrigger =
  (find: (fn: EventFunction, trigger: Watched, facts: Facts) => Omit<Found, 'function'> | undefined) =>
  (facts: Facts): Found[] =>
    facts.functions.flatMap((fn) =>
      fn.watched.flatMap((trigger) => {
        const found = find(fn, trigger, facts);
        return found ? [{ function: fn.name, ...found }] : [];
      }),
    );

export const eachFunction =
  (find: (fn: EventFunction, facts: Facts) => Omit<Found, 'function'> | undefined) =>
  (facts: Facts): Found[] =>
    facts.functions.flatMap((fn) => {
      const found = find(fn, facts);
      return found ? [{ function: fn.name, ...found }] : [];
    });

export const isNats = ({ type }: Watched): boolean => type === 'nats-jetstream';
export const consumerOf = ({ stream, consumer }: Watched, { consumers }: Facts) =>
  consumers.find((one) => one.name === consumer && one.stream === stream);
export const ownerOf = (name: string): string => name.replace(/-retries$/, '');
