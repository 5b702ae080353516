/** The OpenAPI document → a page to read it: one file, no scripts, nothing fetched, light or dark as the reader has it. Pure. */

type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly [limit: string]: unknown;
};
type Content = { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> };
type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
};
type Operation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content & { readonly description?: string }>>;
};
type Document = {
  readonly info: { readonly title: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const html = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

/** Text with `code` in it. */
const prose = (text: string): string => html(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

const LIMITS: Readonly<Record<string, string>> = {
  minimum: 'at least',
  maximum: 'at most',
  exclusiveMinimum: 'more than',
  minLength: 'characters at least',
  maxLength: 'characters at most',
  minItems: 'items at least',
  maxItems: 'items at most',
  pattern: 'matches',
};

const limits = (schema: Schema): string =>
  Object.entries(LIMITS)
    .flatMap(([name, words]) =>
      schema[name] === undefined ? [] : [`, ${words} <code>${html(`${schema[name]}`)}</code>`],
    )
    .join('');

/** A type in a few words; objects are spelled out by `fields`. */
function typeOf(schema: Schema): string {
  if (schema.$ref) {
    const name = html(schema.$ref.split('/').at(-1) ?? '');
    return `<a href="#${name}">${name}</a>`;
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(typeOf).join(' or ');
  if (schema.const !== undefined) return `<code>${html(JSON.stringify(schema.const))}</code>`;
  if (schema.enum) return schema.enum.map((value) => `<code>${html(String(value))}</code>`).join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}${limits(schema)}`;
  return `${html(schema.format ?? [schema.type ?? 'anything'].flat().join(' or '))}${limits(schema)}`;
}

const row = (name: string, where: string, must: boolean, schema: Schema, description = schema.description): string =>
  `<li><code class="name">${html(name)}</code> <span class="type">${typeOf(schema)}${where}${must ? '' : ', optional'}</span>` +
  `${description ? `<br>${prose(description)}` : ''}${fields(schema)}</li>`;

/** The fields of an object, or of the objects in a list. */
function fields(schema: Schema): string {
  if (schema.items) return fields(schema.items);
  if (!schema.properties) return '';
  const { required = [] } = schema;
  const rows = Object.entries(schema.properties).map(([name, field]) => row(name, '', required.includes(name), field));
  return `<ul>${rows.join('')}</ul>`;
}

function shape({ content = {} }: Content): string {
  return Object.entries(content)
    .map(([media, { schema }]) => `<p class="type">${html(media)}: ${typeOf(schema)}</p>${fields(schema)}`)
    .join('');
}

function operation(path: string, method: string, op: Operation): string {
  const rows = (op.parameters ?? []).map((one) =>
    row(one.name, `, in the ${html(one.in)}`, one.required, one.schema, one.description),
  );
  const answers = Object.entries(op.responses).map(
    ([status, answer]) =>
      `<h4>${status === 'default' ? 'else' : html(status)} ${html(answer.description ?? '')}</h4>${shape(answer)}`,
  );
  return `<details id="${html(op.operationId)}">
<summary><code class="method">${method.toUpperCase()}</code> <code>${html(path)}</code> <span>${prose(op.summary)}</span></summary>
<p>${prose(op.description)}</p>
${rows.length > 0 ? `<h4>Takes</h4><ul>${rows.join('')}</ul>` : ''}
${op.requestBody ? `<h4>Body</h4>${shape(op.requestBody)}` : ''}
${answers.join('\n')}
</details>`;
}

const STYLE = `
:root { color-scheme: light dark; --soft: light-dark(#57606a, #9aa4af); --line: light-dark(#d8dee4, #30363d);
  --accent: light-dark(#0b5c7a, #6cc4e6); --field: light-dark(#f3f5f7, #1b2128) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 6rem;
  background: light-dark(#fff, #0f1419); color: light-dark(#1b2128, #dfe5eb) }
h2 { margin: 2.5rem 0 .5rem; text-transform: capitalize } h4 { margin: 1rem 0 .25rem; font-size: .875rem }
a { color: var(--accent) } code { font: .875em ui-monospace, monospace; background: var(--field); padding: .1em .3em; border-radius: 4px }
details, .schema { border-top: 1px solid var(--line); padding: .5rem 0 } summary { cursor: pointer }
summary span, .type { color: var(--soft); font-size: .9em } .method { color: var(--accent); font-weight: 600 }
ul { list-style: none; margin: .25rem 0; padding-left: 1rem; border-left: 2px solid var(--line) } li { margin: .25rem 0 }
p { margin: .25rem 0 .5rem } .name { font-weight: 600 }`;

/** The page; `document` is what GET /openapi.json answers. */
export function docsPage(document: unknown): string {
  const { info, paths, components } = document as Document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, op]) => ({ tag: op.tags[0] ?? '', shown: operation(path, method, op) })),
  );
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  const sections = tags.map((tag) => {
    const own = operations.filter((one) => one.tag === tag).map(({ shown }) => shown);
    return `<section><h2>${html(tag)}</h2>${own.join('\n')}</section>`;
  });
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<div class="schema" id="${html(name)}"><h3>${html(name)}</h3><p>${prose(schema.description ?? '')}</p>${fields(schema)}</div>`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(info.title)} API</title><style>${STYLE}</style></head>
<body>
<h1>${html(info.title)} API</h1>
<p>${prose(info.description)} As OpenAPI 3.1: <a href="/openapi.json">/openapi.json</a></p>
${sections.join('\n')}
<section><h2>Schemas</h2>${schemas.join('\n')}</section>
</body>
</html>
`;
}
