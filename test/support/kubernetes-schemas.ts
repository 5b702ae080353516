/** A Kubernetes object → what its real schema says against it; a field that the schema does not know is refused. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { parseAllDocuments } from 'yaml';

const FOLDER = path.join(import.meta.dirname, 'schemas');
const META = 'V1ObjectMeta';
const CORE = 'kubernetes';
const refTo = (definition: string): Json => ({ $ref: `${CORE}#/definitions/${definition}` });
const TEXT_OR_NUMBER = { anyOf: [{ type: 'integer' }, { type: 'number' }, { type: 'string' }] };

type Json = Readonly<Record<string, unknown>>;
export type KubernetesObject = Json & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
};

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The schema, refusing fields that it does not name unless it says that there are such. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isObject(schema)) return schema;
  if (schema['x-kubernetes-int-or-string'] === true) return TEXT_OR_NUMBER;
  const { properties, ...rest } = schema;
  const inner = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, closed(value)]));
  if (!isObject(properties)) return inner;
  const fields = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, closed(field)]));
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || 'additionalProperties' in schema;
  return { ...inner, properties: fields, ...(open ? {} : { additionalProperties: false }) };
}

const core = JSON.parse(readFileSync(path.join(FOLDER, 'kubernetes.json'), 'utf8')) as {
  kinds: Readonly<Record<string, string>>;
  definitions: Json;
};
const definitions = Object.fromEntries(
  Object.entries(core.definitions).map(([name, schema]) => [name, closed(schema)]),
);

type CustomResource = {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Json } }[];
  };
};

/** What the API server adds to the schema of a custom resource. */
function withTypeAndMetadata(schema: Json): Json {
  const text = { type: 'string' };
  return {
    ...schema,
    properties: { ...(schema.properties as Json), apiVersion: text, kind: text, metadata: refTo(META) },
  };
}

function customKinds(): [string, Json][] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));
  return files
    .flatMap((file) => parseAllDocuments(readFileSync(path.join(FOLDER, file), 'utf8')))
    .map((document) => document.toJS() as CustomResource | null)
    .filter((resource) => resource !== null)
    .flatMap(({ spec: { group, names, versions } }) =>
      versions.map(({ name, schema }): [string, Json] => [
        `${group}/${name} ${names.kind}`,
        withTypeAndMetadata(closed(schema.openAPIV3Schema) as Json),
      ]),
    );
}

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema({ $id: CORE, definitions });
const roots = new Map<string, Json>([
  ...Object.entries(core.kinds).map(([kind, name]): [string, Json] => [kind, refTo(name)]),
  ...customKinds(),
]);
const validators = new Map<string, ValidateFunction>();

/** What is wrong with an object, a line a fault; empty when nothing is. */
export function faultsOf(object: KubernetesObject): string[] {
  const kind = `${object.apiVersion} ${object.kind}`;
  const root = roots.get(kind);
  if (!root) return [`there is no schema of ${kind} in test/support/schemas`];
  const validate = validators.get(kind) ?? ajv.compile(root);
  validators.set(kind, validate);
  validate(object as unknown);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${kind} ${object.metadata.name}${instancePath}: ${message} ${JSON.stringify(params)}`,
  );
}
