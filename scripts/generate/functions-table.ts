/** Functions, their rules and limits → the table of functions/README.md, which `npm run generate` writes. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod/mini';
import { orderEvents } from '../../functions/orders/events.ts';
import { FUNCTIONS, readShopConsumers } from '../platform/manifests/jetstream-yaml.ts';
import { type Rule, readRules } from '../platform/manifests/rules.ts';
import { readResource } from '../platform/manifests/yaml-file.ts';
import { type DefinedFunction, readDefinitions } from '../registry/functions.ts';
import { repository } from '../registry/repository.ts';

/** In the order in which they happen. */
const ORDER_EVENTS: readonly string[] = Object.keys(orderEvents);
const KINDS = ['http', 'command', 'policy', 'projector', 'notifier', 'service', 'relay'];
const HEAD = ['function', 'kind', 'takes', 'sends', 'replicas', 'one is for', 'memory', 'what it does'];
/** What the table begins with, up to its last row. */
const TABLE = /^Each sleeps[^\n]*\n(?:[^|\n][^\n]*\n|\n)*\| function \| kind \|[^\n]*\n(?:\|[^\n]*\n)*/m;
const README = 'functions/README.md';

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

/** `order.created`, `order.paid` → `order.created`, `.paid`: a name begins as the one before it does. */
function named(types: readonly string[]): string {
  const contextOf = (type: string): string => type.slice(0, type.lastIndexOf('.'));
  return types
    .map((type, index) =>
      contextOf(types[index - 1] ?? '') === contextOf(type) ? type.slice(contextOf(type).length) : type,
    )
    .map((type) => `\`${type}\``)
    .join(', ');
}

/** All events of orders are told as one. */
const takesOf = (types: readonly string[]): string =>
  ORDER_EVENTS.every((type) => types.includes(type)) && types.length === ORDER_EVENTS.length
    ? '`order.*`'
    : named(types);

/** Where its order is in what happens to an order. */
const placeOf = ({ publishes }: DefinedFunction): number => {
  const places = publishes.map((type) => ORDER_EVENTS.indexOf(type)).filter((place) => place >= 0);
  return Math.min(ORDER_EVENTS.length, ...places);
};

/** The first line of its function.ts. */
function doesOf({ source }: DefinedFunction): string {
  const [first = ''] = readFileSync(source, 'utf8').split('\n');
  const [, says = ''] = /^\/\*\* (.*?) ?(?:\*\/)?$/.exec(first) ?? [];
  return says.replaceAll('|', '\\|');
}

function rowOf(fn: DefinedFunction, rule: Rule): string {
  const { name, kind, consumes, publishes, schedules } = fn;
  const sends = kind === 'relay' ? 'what the outbox holds' : named([...new Set([...publishes, ...schedules])]);
  const cells = [
    `\`${name}\``,
    kind,
    takesOf(consumes),
    sends,
    `${rule.min}–${rule.max}`,
    loadOf(rule),
    limitsOf(rule).memory,
    doesOf(fn),
  ];
  return `| ${cells.map((cell) => cell || ' ').join(' | ')} |`;
}

async function functionsTable(): Promise<string> {
  const rules = readRules(FUNCTIONS, readShopConsumers());
  const definitions = await readDefinitions();
  const rows = definitions
    .toSorted(
      (a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || placeOf(a) - placeOf(b) || (a.name < b.name ? -1 : 1),
    )
    .flatMap((fn) => {
      const rule = rules.find(({ name }) => name === fn.name);
      return rule ? [rowOf(fn, rule)] : [];
    });
  return [sentenceOf(rules), '', `| ${HEAD.join(' | ')} |`, `|${HEAD.map(() => '---').join('|')}|`, ...rows, ''].join(
    '\n',
  );
}

/** functions/README.md with the table as it should be. Throws when there is no table in it. */
export async function readmeWithTable(): Promise<string> {
  const readme = readFileSync(path.join(repository, README), 'utf8');
  if (!TABLE.test(readme))
    throw new Error(
      `${README} has no table of functions; it begins with 'Each sleeps', and then '| function | kind |'`,
    );
  const table = await functionsTable();
  return readme.replace(TABLE, () => table);
}
