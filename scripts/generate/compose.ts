/** Functions → their services in infra/compose.yaml, and in its Caddyfile which of them answers what. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { Route } from '../../functions/runtime/http.ts';
import { type DefinedFunction, readDefinitions } from '../registry/functions.ts';
import { repository } from '../registry/repository.ts';
import { isHttp } from '../registry/routes.ts';
import type { Generated } from './generated.ts';
import { withSection } from './section.ts';

const COMPOSE = 'infra/compose.yaml';
const CADDYFILE = 'infra/compose/Caddyfile';
/** What all functions are given there, by hand. */
type Compose = { readonly 'x-function': { readonly environment: Readonly<Record<string, string>> } };
type Routed = { readonly name: string; readonly routes: readonly Pick<Route, 'method' | 'path'>[] };

const read = (file: string): string => readFileSync(path.join(repository, file), 'utf8');

/** The settings that nobody has given a value: that of the shell in which compose runs. */
function environmentOf({ settings }: DefinedFunction, given: Readonly<Record<string, string>>): string[] {
  const open = Object.entries(settings)
    .filter(([name, { default: preset, optional }]) => preset === undefined && !optional && !(name in given))
    .map(([name]) => `    ${name}: "\${${name}:-}"`);
  return open.length > 0 ? ['  environment:', '    <<: *environment', ...open] : [];
}

/** `x-<name>: &<name>`, written by hand, has what is special about a function there. */
function serviceLines(fn: DefinedFunction, text: string): string[] {
  const { name } = fn;
  const base = text.includes(`\nx-${name}: &${name}\n`) ? `[*${name}, *function]` : '*function';
  const { environment } = (parse(text, { merge: true }) as Compose)['x-function'];
  return [
    `${name}:`,
    `  <<: ${base}`,
    `  build: { context: .., args: { FUNCTION: ${name} } }`,
    ...environmentOf(fn, environment),
  ];
}

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';
const READS = 'GET HEAD';

/** `/v1/parcels/:parcelId` → `/v1/parcels/[^/]+`. */
const patternOf = (route: string): string => route.replaceAll('.', '\\.').replaceAll(/[:*]\w+/g, '[^/]+');

/** Who has the most routes of a kind also answers what nobody knows: with a problem. */
const mostOf = (functions: readonly Routed[], reads: boolean): string | undefined =>
  functions
    .map(({ name, routes }) => ({ name, count: routes.filter(({ method }) => isRead(method) === reads).length }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))[0]?.name;

const sent = (to: string): string => `reverse_proxy ${to}:8080`;

function namedRoutes({ name, routes }: Routed, reads: boolean): string[] {
  const own = routes.filter(({ method }) => isRead(method) === reads);
  if (own.length === 0) return [];
  const methods = reads ? [READS] : [...new Set(own.map(({ method }) => method))].sort();
  return methods.flatMap((method) => {
    const at = own.filter((one) => reads || one.method === method).map((one) => patternOf(one.path));
    const matcher = `@${name}-${method.split(' ')[0]?.toLowerCase()}`;
    return [
      `${matcher} {`,
      `\tmethod ${method}`,
      `\tpath_regexp ^(${[...new Set(at)].sort().join('|')})$`,
      '}',
      `handle ${matcher} {`,
      `\t${sent(name)}`,
      '}',
    ];
  });
}

/** HTTP functions and their routes → the lines of the Caddyfile. Pure. */
export function caddyRoutes(functions: readonly Routed[]): string[] {
  const [reader, writer] = [true, false].map((reads) => mostOf(functions, reads));
  if (!reader || !writer) return [];
  return [
    ...functions.flatMap((fn) => (fn.name === reader ? [] : namedRoutes(fn, true))),
    ...functions.flatMap((fn) => (fn.name === writer ? [] : namedRoutes(fn, false))),
    '@reads {',
    `\tmethod ${READS}`,
    '}',
    'handle @reads {',
    `\t${sent(reader)}`,
    '}',
    'handle {',
    `\t${sent(writer)}`,
    '}',
  ];
}

export async function composeFiles(): Promise<Generated> {
  const functions = await readDefinitions();
  const http = functions.filter(isHttp).map(({ name, routes }) => ({ name, routes: routes() }));
  const text = read(COMPOSE);
  const lines = functions.flatMap((fn) => serviceLines(fn, text));
  const listed = withSection(COMPOSE, text, 'functions', lines);
  const sources = http.map(({ name }) => `- ${name}`);
  return {
    [COMPOSE]: withSection(COMPOSE, listed, 'http', sources),
    [CADDYFILE]: withSection(CADDYFILE, read(CADDYFILE), 'routes', caddyRoutes(http)),
  };
}
