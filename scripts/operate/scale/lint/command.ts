/** `millrace scale lint`: the faults of scaling in the overlays as they would be applied; an error makes it exit with 1. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { readOptions, UsageError } from '../../../cli/cli.ts';
import { readDefinitions } from '../../../registry/functions.ts';
import { repository } from '../../../registry/repository.ts';
import { build } from '../kustomize.ts';
import type { KubernetesObject } from '../objects.ts';
import { factsOf, type Handlers } from './facts.ts';
import type { Finding } from './rule.ts';
import { lint } from './rules.ts';

const OVERLAYS = 'knative/overlays';
const OPTIONS = {
  overlay: { type: 'string', multiple: true },
  p99: { type: 'string', multiple: true },
  jwt: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

/** Found in these overlays. */
type Placed = Finding & { readonly overlays: readonly string[] };

function handlersOf(given: readonly string[], names: readonly string[]): Handlers {
  return Object.fromEntries(
    given.map((one) => {
      const [, name = '', seconds = ''] = /^([a-z0-9-]+)=(\d+(?:\.\d+)?)$/.exec(one) ?? [];
      if (!name) throw new UsageError(`--p99 takes a function and seconds, such as <function>=2.5, not '${one}'`);
      if (!names.includes(name)) throw new UsageError(`--p99: there is no function '${name}'`);
      return [name, Number(seconds)];
    }),
  );
}

function overlaysOf(given: readonly string[] | undefined): string[] {
  const there = readdirSync(path.join(repository, OVERLAYS));
  for (const overlay of given ?? [])
    if (!/^[a-z0-9-]+$/.test(overlay) || !existsSync(path.join(repository, OVERLAYS, overlay)))
      throw new UsageError(`--overlay: there is no '${overlay}' in ${OVERLAYS}; there are ${there.join(', ')}`);
  return [...(given ?? there)];
}

/** What is found in several overlays is told once. */
function together(findings: readonly Placed[]): Placed[] {
  const byText = Map.groupBy(findings, ({ overlays: _, ...finding }) => JSON.stringify(finding));
  return [...byText.values()].flatMap((same) => {
    const [first] = same;
    return first ? [{ ...first, overlays: same.flatMap(({ overlays }) => overlays) }] : [];
  });
}

const textOf = ({ level, rule, reason, fix, file, overlays, function: name }: Placed): string =>
  `${level}: ${name}: ${reason}\n  fix: ${fix}\n  in ${file}, as ${overlays.join(' and ')} has it (${rule})`;

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

export async function lintCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readOptions(args, OPTIONS);
  if (positionals.length > 0) throw new UsageError(`scale lint takes no '${positionals[0]}'`);
  const overlays = overlaysOf(values.overlay);
  const definitions = await readDefinitions();
  const handlers = handlersOf(
    values.p99 ?? [],
    definitions.map(({ name }) => name),
  );
  const found = overlays.map(async (overlay) => {
    const objects = await build<KubernetesObject>(path.join(OVERLAYS, overlay));
    return lint(factsOf(objects, definitions, handlers, values.jwt)).map((one) => ({ ...one, overlays: [overlay] }));
  });
  const findings = together((await Promise.all(found)).flat());
  const errors = findings.filter(({ level }) => level === 'error').length;
  if (values.json) console.log(JSON.stringify(findings, null, 2));
  else {
    for (const finding of findings) console.log(`${textOf(finding)}\n`);
    const warnings = findings.length - errors;
    const sum = `${counted(errors, 'error')}, ${counted(warnings, 'warning')}`;
    console.log(`scale lint: ${findings.length === 0 ? 'nothing' : sum} found in ${overlays.join(' and ')}`);
  }
  if (errors > 0) process.exitCode = 1;
}
