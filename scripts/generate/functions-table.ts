/** Functions, their rules and limits → the table of functions in functions/README.md. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod/mini';
import { FUNCTIONS, readShopConsumers } from '../manifests/jetstream-yaml.ts';
import { type Rule, readRules } from '../manifests/rules.ts';
import { readResource } from '../manifests/yaml-file.ts';
import { eventsOf, readContexts } from '../registry/contexts.ts';
import { type DefinedFunction, readDefinitions } from '../registry/functions.ts';
import { repository } from '../registry/repository.ts';

const KINDS = ['http', 'command', 'policy', 'projector', 'notifier', 'service', 'relay'];
const HEAD = ['function', 'kind', 'takes', 'publishes', 'replicas', 'one is for', 'memory', 'what it does'];

const limits = z.object({ cpu: z.optional(z.string()), memory: z.string() });
const workload = z.object({
  spec: z.object({
    template: z.object({ spec: z.object({ containers: z.array(z.object({ resources: z.object({ limits }) })) }) }),
  }),
});
const WORKLOADS: Readonly<Record<Rule['scaledBy'], (name: string) => string>> = {
  keda: () => 'base/event-function/deployment.yaml',
  hpa: () => 'base/service/deployment.yaml',
  knative: (name) => `functions/${name}/service.yaml`,
};

function limitsOf({ scaledBy, name }: Rule): z.infer<typeof limits> {
  const file = path.join(repository, 'knative', WORKLOADS[scaledBy](name));
  const [container] = readResource(file, workload).spec.template.spec.containers;
  if (!container) throw new Error(`${file} has no container`);
  return container.resources.limits;
}

/** What one replica is for. */
function loadOf(rule: Rule): string {
  if (rule.scaledBy === 'hpa') return 'by its CPU';
  if (rule.scaledBy === 'knative') return `${Math.round(rule.targetConcurrency * rule.utilization)} requests at once`;
  const [trigger] = rule.triggers;
  return trigger?.type === 'postgresql' ? `${trigger.targetQueryValue} rows` : `lag ${trigger?.lagThreshold}`;
}

/** When the last replica goes, and how often lag is looked at. */
function rhythmOf(rule: Rule): string {
  if (rule.min > 0 || rule.scaledBy === 'hpa') return 'never';
  if (rule.scaledBy === 'knative') return `${rule.windowSeconds + rule.retentionSeconds} s after its last request`;
  return `${rule.cooldownSeconds} s after its last message, and lag is looked at every ${rule.pollingIntervalSeconds} s`;
}

/** What is alike in most rows is a sentence, and whoever is not is named in it. */
function sentenceOf(rules: readonly Rule[]): string {
  const by = (of: (rule: Rule) => string) => [...Map.groupBy(rules, of)].sort(([, a], [, b]) => b.length - a.length);
  const namesOf = (some: readonly Rule[]): string => some.map(({ name }) => `\`${name}\``).join(', ');
  const [[usual = ''] = [], ...others] = by(rhythmOf);
  const sleeps = [`Each sleeps ${usual}`, ...others.map(([rhythm, some]) => `${namesOf(some)} ${rhythm}`)].join('; ');
  const [[cpu = ''] = [], ...limited] = by((rule) => limitsOf(rule).cpu ?? 'has no limit');
  const cpus = [`CPU ${cpu}`, ...limited.map(([limit, some]) => `of ${namesOf(some)} it is ${limit}`)].join('; ');
  return `${sleeps}. ${cpus}.`;
}

/** `parcel.sent`, `parcel.lost` → `parcel.sent`, `.lost`: a name begins as the one before it does. */
function named(types: readonly string[]): string {
  const contextOf = (type: string): string => type.slice(0, type.lastIndexOf('.'));
  return types
    .map((type, index) =>
      contextOf(types[index - 1] ?? '') === contextOf(type) ? type.slice(contextOf(type).length) : type,
    )
    .map((type) => `\`${type}\``)
    .join(', ');
}

/** All events that begin alike are told as one, `parcel.*`, in the place of the first. */
function shortened(types: readonly string[], events: readonly string[]): string[] {
  const beginningOf = (type: string): string => `${type.split('.')[0]}.`;
  const alike = (all: readonly string[], type: string) => all.filter((one) => one.startsWith(beginningOf(type)));
  const isWhole = (type: string): boolean =>
    events.includes(type) && alike(events, type).length > 1 && alike(events, type).every((one) => types.includes(one));
  return [...new Set(types.map((type) => (isWhole(type) ? `${beginningOf(type)}*` : type)))];
}

/** The first line of its function.ts. */
function doesOf({ source }: DefinedFunction): string {
  const [first = ''] = readFileSync(source, 'utf8').split('\n');
  const [, says = ''] = /^\/\*\* (.*?) ?(?:\*\/)?$/.exec(first) ?? [];
  return says.replaceAll('|', '\\|');
}

function rowOf(fn: DefinedFunction, rule: Rule, events: readonly string[]): string {
  const { name, kind, consumes, publishes, schedules } = fn;
  const sent = named(shortened([...publishes, ...schedules], events));
  const cells = [
    `\`${name}\``,
    kind,
    named(shortened(consumes, events)),
    kind === 'relay' ? 'what the outbox holds' : sent,
    `${rule.min}–${rule.max}`,
    loadOf(rule),
    limitsOf(rule).memory,
    doesOf(fn),
  ];
  return `| ${cells.map((cell) => cell || ' ').join(' | ')} |`;
}

/** The lines from the sentence about all of them to the last row: by context, kind and name. */
export async function functionsTable(): Promise<string[]> {
  const rules = readRules(FUNCTIONS, readShopConsumers());
  const events = Object.keys(eventsOf(await readContexts()));
  const rows = (await readDefinitions())
    .toSorted(
      (a, b) =>
        a.context.localeCompare(b.context) ||
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
        a.name.localeCompare(b.name),
    )
    .flatMap((fn) => {
      const rule = rules.find(({ name }) => name === fn.name);
      return rule ? [rowOf(fn, rule, events)] : [];
    });
  return [sentenceOf(rules), '', `| ${HEAD.join(' | ')} |`, `|${HEAD.map(() => '---').join('|')}|`, ...rows];
}
