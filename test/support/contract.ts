/** Answers of the running shop against its OpenAPI document: status listed, body as its schema says and nothing more. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import document from '../../functions/gen/openapi.json' with { type: 'json' };

type Content = Readonly<Record<string, { readonly schema: object }>>;
type Operation = { readonly responses: Readonly<Record<string, { readonly content?: Content }>> };

/** Answers may grow, but not without the document: here an object may have the fields that its schema lists, no other. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([name, value]) => [name, closed(value)]);
  const limit = 'properties' in schema && !('additionalProperties' in schema) ? { additionalProperties: false } : {};
  return { ...Object.fromEntries(entries), ...limit };
}

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({ $id: 'shop', components: closed(document.components) });

const check = (schema: object) =>
  ajv.compile(closed(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"shop#/'))) as object);
const validators = new Map<object, ReturnType<typeof check>>();

const paths = Object.entries(document.paths).map(([path, methods]) => ({
  path,
  pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`),
  methods: methods as Readonly<Record<string, Operation>>,
}));

const operationAt = (method: string, path: string) =>
  paths
    .filter(({ pattern }) => pattern.test(path))
    // A path without parameters is meant before one with them.
    .sort((a, b) => a.path.split('{').length - b.path.split('{').length)
    .flatMap((at) => {
      const operation = at.methods[method.toLowerCase()];
      return operation ? [{ name: `${method} ${at.path}`, operation }] : [];
    })[0];

/** Every operation that was answered as one of its good answers, such as `GET /v1/orders`. */
export const answered = new Set<string>();

/** Throws, saying what differs, when the document has no such answer. */
export function checkAnswer(method: string, url: string, status: number, media: string | null, body: unknown): void {
  const found = operationAt(method, url.split('?')[0] ?? '');
  if (!found) return;
  const { name, operation } = found;
  const listed = operation.responses[status];
  if (!listed && status < 400) throw new Error(`${name} answered ${status}, which the document does not list`);
  if (listed) answered.add(name);
  const { content = {} } = listed ?? operation.responses.default ?? {};
  const [type] = (media ?? '').split(';');
  const { schema } = content[type ?? ''] ?? {};
  if (!schema) {
    if (body === undefined && Object.keys(content).length === 0) return;
    throw new Error(`${name} answered ${status} with '${type}', but the document lists ${Object.keys(content)}`);
  }
  const validate = validators.get(schema) ?? check(schema);
  validators.set(schema, validate);
  if (!validate(body))
    throw new Error(`${name} answered ${status} not as documented: ${ajv.errorsText(validate.errors)}`);
}

/** Names of all operations of the document. */
export const operations = paths.flatMap(({ path, methods }) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
);
