/** The lists of the repository in which a function must be, and how it gets into each. A new list is a new line of LISTS. */
import { isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import { amongRoles, withLogin, withMigration, withRole } from './database-lists.ts';
import { type Edit, insert } from './edit.ts';
import { commandOf } from './names.ts';
import { MODELS, type Request } from './request.ts';

type Entry = { readonly entry: string; readonly from: number; readonly to: number };

/** The entries of a YAML sequence or mapping, by name, with the lines that each takes; as far as they are in order. */
function entriesOf(text: string, list: string): Entry[] {
  const found = parseDocument(text).get(list);
  const items = isMap(found)
    ? found.items.map(({ key, value }) => ({ named: key, first: key, last: value }))
    : isSeq(found)
      ? found.items.map((item) => ({ named: isMap(item) ? item.get('name', true) : item, first: item, last: item }))
      : [];
  const entries = items.flatMap(({ named, first, last }) => {
    const [start, end] = [isNode(first) && first.range?.[0], isNode(last) && last.range?.[2]];
    const name = isScalar(named) ? String(named.value).replace(/^millrace\//, '') : '';
    if (!/^\w/.test(name) || typeof start !== 'number' || typeof end !== 'number') return [];
    return [{ entry: name, from: text.lastIndexOf('\n', start) + 1, to: end }];
  });
  const unordered = entries.findIndex(({ entry }, index) => entry < (entries[index - 1]?.entry ?? ''));
  return unordered < 0 ? entries : entries.slice(0, unordered);
}

/** An entry like that of the model, in alphabetical order. No image of it was pushed yet: its digest is all zeros. */
export const inOrder =
  (list: string): Edit =>
  (text, { kind, name }) => {
    const model = MODELS[kind];
    const entries = entriesOf(text, list);
    const like = entries.find(({ entry }) => entry === model);
    if (!like) throw new Error(`${model} is not in ${list}: mend scripts/new/lists.ts`);
    const lines = text.slice(like.from, like.to).replaceAll(model, name);
    const copy = lines.replace(/[0-9a-f]{64}/, '0'.repeat(64));
    const at = entries.find(({ entry }) => entry > name)?.from ?? entries.at(-1)?.to ?? 0;
    return text.slice(0, at) + copy + text.slice(at);
  };

/** Named in the column of functions wherever the model is named, be it as one that has the setting or one that has not. */
function withSettings(text: string, { kind, name }: Request): string {
  const model = `\`${MODELS[kind]}\``;
  return text.replaceAll(/^(\| `[A-Z_]+` \| )([^|]*[^| ])( \|)/gm, (row, before, functions: string, after) =>
    functions.includes(model) ? `${before}${functions}, \`${name}\`${after}` : row,
  );
}

/** In every array of names that the model is in. */
function amongNames(text: string, { kind, name }: Request): string {
  const model = `'${MODELS[kind]}'`;
  return text.replaceAll(/\[([^[\]]*)\]/g, (array, names: string) =>
    names.split(/,\s*/).includes(model) ? `[${names}, '${name}']` : array,
  );
}

/** Its type and its schema, for all who send it. */
function withCommand(text: string, { kind, name }: Request): string {
  if (kind !== 'command') return text;
  const { type, constant, schema } = commandOf(name);
  const last = text.split('\n').findLastIndex((line) => /^export const [A-Z0-9_]+ = 'command\./.test(line));
  const typed = insert(text, last + 1, `export const ${constant} = '${type}';`);
  return `${typed}export const ${schema} = z.strictObject(addressed);\n`;
}

export const LISTS: readonly (readonly [file: string, edit: Edit])[] = [
  ['knative/functions/kustomization.yaml', inOrder('resources')],
  ['knative/overlays/local-cluster/kustomization.yaml', inOrder('images')],
  ['knative/overlays/production/kustomization.yaml', inOrder('images')],
  ['infra/compose.yaml', inOrder('services')],
  ['functions/README.md', withSettings],
  ['infra/postgres/README.md', withRole],
  ['infra/postgres/kustomization.yaml', withMigration],
  ['infra/production/postgres.yaml', amongRoles],
  ['infra/production/logins.sh', withLogin],
  ['functions/users/user-service/caller.ts', amongNames],
  ['functions/notifications/client.ts', amongNames],
  ['functions/orders/commands.ts', withCommand],
];
