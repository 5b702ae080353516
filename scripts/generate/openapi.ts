/** The routes of all HTTP functions → the OpenAPI 3.1 document of the shop. */

import { STATUS_CODES } from 'node:http';
import * as z from 'zod/mini';
import { CODES } from '../../functions/runtime/errors.ts';
import type { Definition } from '../../functions/runtime/function.ts';
import type { Route } from '../../functions/runtime/http/routes.ts';
import type { HttpDefinition } from '../../functions/runtime/http.ts';
import { listFunctions } from '../registry/functions.ts';
import type { Generated } from './generated.ts';

type Json = Record<string, unknown>;
type Schema = NonNullable<Route['params']>;

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(Object.keys(CODES) as [string, ...string[]]),
  slug: z.string(),
  traceId: z.string(),
  errors: z.optional(z.array(z.object({ field: z.string(), message: z.string() }))),
});
z.globalRegistry.add(problem, {
  id: 'Problem',
  description: 'What went wrong (RFC 9457). Branch on `code` and `slug`; `errors` names the fields and what to do.',
});

/** What zod says for its own use: a format's regular expression, and the bounds of integers in JavaScript. */
function plain(schema: z.core.JSONSchema.BaseSchema, io: 'input' | 'output'): void {
  if (schema.format) delete schema.pattern;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  // Answers may get more fields: a client must not trip over one that it does not know.
  if (io === 'output' && schema.additionalProperties === false) delete schema.additionalProperties;
}

/** JSON schema of a zod schema; the named ones in it are moved to `components`. */
function jsonSchema(schema: Schema, io: 'input' | 'output', components: Json): Json {
  const {
    $schema: _,
    $defs,
    ...json
  } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema: found }) => plain(found, io),
  });
  const text = (value: unknown) => JSON.stringify(value).replaceAll('#/$defs/', '#/components/schemas/');
  for (const [name, definition] of Object.entries($defs ?? {})) components[name] = JSON.parse(text(definition));
  return JSON.parse(text(json));
}

type Properties = { properties?: Record<string, Json>; required?: string[] };

function parameters(schema: Schema | undefined, place: 'path' | 'query', components: Json): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input', components) as Properties;
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    ...(description ? { description } : {}),
    required: place === 'path' || required.includes(name),
    schema: rest,
  }));
}

const headerParameters = (route: Route): Json[] =>
  Object.entries(route.headers ?? {}).map(([name, { description, required = false }]) => ({
    name,
    in: 'header',
    description,
    required,
    schema: { type: 'string' },
  }));

function content(answer: Route['answers'][number], components: Json): Json {
  if (answer === null) return {};
  if (typeof answer === 'string') return { content: { [answer]: { schema: { type: 'string' } } } };
  return { content: { 'application/json': { schema: jsonSchema(answer, 'output', components) } } };
}

function responses(route: Route, components: Json): Json {
  const good = Object.entries(route.answers).map(([status, answer]) => [
    status,
    { description: STATUS_CODES[status], ...content(answer, components) },
  ]);
  const schema = jsonSchema(problem, 'output', components);
  const bad = { description: 'What went wrong.', content: { 'application/problem+json': { schema } } };
  return { ...Object.fromEntries(good), default: bad };
}

const WHO: Readonly<Record<string, string>> = {
  public: 'Anybody may call it.',
  'signed-in': 'For who is signed in.',
  staff: 'For staff.',
};

/** Such as `/v1/parcels/{parcelId}`. */
const pathOf = (route: Route): string => route.path.replaceAll(/:(\w+)/g, '{$1}');

/** `GET /v1/parcels/{parcelId}/events` is `getParcelsParcelIdEvents`. */
const operationId = ({ method, path }: Route): string =>
  method.toLowerCase() +
  path
    .replace(/^\/v1/, '')
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');

/** What a route takes as its body, if it takes any. */
function requestBody({ body, takes = body && { 'application/json': body } }: Route, components: Json): Json {
  if (!takes) return {};
  const content = Object.entries(takes).map(([media, schema]) => [
    media,
    { schema: jsonSchema(schema, 'input', components) },
  ]);
  return { requestBody: { required: true, content: Object.fromEntries(content) } };
}

function operation(route: Route, components: Json): Json {
  const { access, summary, details } = route;
  const all = [
    ...parameters(route.params, 'path', components),
    ...parameters(route.query, 'query', components),
    ...headerParameters(route),
  ];
  return {
    operationId: operationId(route),
    tags: [/^\/v1\/(\w+)/.exec(route.path)?.[1] ?? 'beside the API'],
    summary,
    description: [details, WHO[access] ?? `For access tokens with scope ${access}.`].filter(Boolean).join(' '),
    security: access === 'public' ? [] : [{ accessToken: [] }],
    ...(all.length > 0 ? { parameters: all } : {}),
    ...requestBody(route, components),
    responses: responses(route, components),
  };
}

/** Pure. */
export function openApiDocument(routes: readonly Route[]): Json {
  const components: Json = {};
  const paths: Record<string, Json> = {};
  const isOfShop = ({ path }: Route): boolean => path.startsWith('/v1/');
  const sorted = [...routes].sort((a, b) => +isOfShop(b) - +isOfShop(a) || a.path.localeCompare(b.path));
  for (const route of sorted)
    paths[pathOf(route)] = { ...paths[pathOf(route)], [route.method.toLowerCase()]: operation(route, components) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version: '1',
      description:
        'The shop. Amounts are whole minor units (cents) of a currency (ISO 4217), times RFC 3339 in UTC, ids UUIDs. ' +
        'Fields may be added to answers; none is changed or taken away. Every answer that is not listed is a Problem. ' +
        'An access token is good until it expires, also when its session has ended before: only what reads or changes ' +
        'an account asks whether the session goes on.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(components).sort(([a], [b]) => a.localeCompare(b))),
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

/** The routes of every HTTP function, as their definitions have them. */
export async function allRoutes(): Promise<Route[]> {
  const definitions = await Promise.all(
    (await listFunctions()).map(async ({ source }) => (await import(source)).default as Definition | HttpDefinition),
  );
  return definitions.flatMap((definition) => ('routes' in definition ? definition.routes() : []));
}

export const openApiFile = async (): Promise<Generated> => ({
  'functions/gen/openapi.json': `${JSON.stringify(openApiDocument(await allRoutes()), null, 2)}\n`,
});
