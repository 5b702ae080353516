/** Functions, their rules and limits → the table of functions/README.md, which `npm run generate` writes. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod/mini';
import { readConsumers, readStreams } from '../local/jetstream-yaml.ts';
import { type Rule, readRules } from '../local/manifests.ts';
import { readResource, repository } from '../local/yaml-file.ts';
import { type DefinedFunction, readDefinitions } from './definitions.ts';

const KINDS = ['http', 'command', 'policy', 'projector', 'notifier', 'service', 'relay'];
const HEAD = [
  'function',
  'kind',
  'takes',
  'sends',
  'replicas',
  'one is for',
  'polled every',
  'sleeps after',
  'cpu, memory',
  'what it does',
];
const TABLE = /^\| function \| kind \|[^\n]*\n(?:\|[^\n]*\n)*/m;
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

function limitsOf({ scaledBy, name }: Rule): string {
  const file = path.join(repository, 'knative', WORKLOADS[scaledBy](name));
  const [container] = readResource(file, workload).spec.template.spec.containers;
  const { cpu = 'no limit', memory = '' } = container?.resources.limits ?? {};
  return `${cpu}, ${memory}`;
}

/** What one replica is for, how often that is looked at, and when the last one goes. */
function scalingOf(rule: Rule): readonly [string, string, string] {
  if (rule.scaledBy === 'hpa') return ['its CPU', '', 'never'];
  if (rule.scaledBy === 'knative') {
    const sleeps = rule.min > 0 ? 'never' : `${rule.windowSeconds + rule.retentionSeconds} s`;
    return [`${Math.round(rule.targetConcurrency * rule.utilization)} requests at once`, '', sleeps];
  }
  const [trigger] = rule.triggers;
  const lag = trigger?.type === 'postgresql' ? `${trigger.targetQueryValue} rows` : `lag ${trigger?.lagThreshold}`;
  const sleeps = rule.min > 0 ? 'never' : `${rule.cooldownSeconds} s`;
  return [lag, `${rule.pollingIntervalSeconds} s`, sleeps];
}

const named = (types: readonly string[]): string => types.map((type) => `\`${type}\``).join(', ');

/** The first line of its function.ts. */
function doesOf({ folder }: DefinedFunction): string {
  const [first = ''] = readFileSync(path.join(folder, 'function.ts'), 'utf8').split('\n');
  const [, says = ''] = /^\/\*\* (.*?) ?(?:\*\/)?$/.exec(first) ?? [];
  return says.replaceAll('|', '\\|');
}

function rowOf(fn: DefinedFunction, rule: Rule): string {
  const { name, kind, consumes, publishes, schedules } = fn;
  const sends = kind === 'relay' ? 'what the outbox holds' : named([...new Set([...publishes, ...schedules])]);
  const cells = [
    `\`${name}\``,
    kind,
    named(consumes),
    sends,
    `${rule.min}–${rule.max}`,
    ...scalingOf(rule),
    limitsOf(rule),
    doesOf(fn),
  ];
  return `| ${cells.map((cell) => cell || '—').join(' | ')} |`;
}

async function functionsTable(): Promise<string> {
  const functions = path.join(repository, 'knative/functions');
  const consumers = readConsumers(functions, readStreams(path.join(repository, 'infra/nats/streams.yaml')));
  const rules = readRules(functions, consumers);
  const definitions = await readDefinitions();
  const rows = definitions
    .toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (a.name < b.name ? -1 : 1))
    .flatMap((fn) => {
      const rule = rules.find(({ name }) => name === fn.name);
      return rule ? [rowOf(fn, rule)] : [];
    });
  return [`| ${HEAD.join(' | ')} |`, `|${HEAD.map(() => '---').join('|')}|`, ...rows, ''].join('\n');
}

/** functions/README.md with the table as it should be. Throws when there is no table in it. */
export async function readmeWithTable(): Promise<string> {
  const readme = readFileSync(path.join(repository, README), 'utf8');
  if (!TABLE.test(readme)) throw new Error(`${README} has no table of functions; it begins with '| function | kind |'`);
  const table = await functionsTable();
  return readme.replace(TABLE, () => table);
}
