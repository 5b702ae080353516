/** A new context → its sources: a stream, and an aggregate with one event. Pure. */
import { camel, constant, pascal } from './names.ts';
import type { NewContext } from './request.ts';
import type { Sources } from './sources.ts';

/** Name of a file in the context's folder → its text. */
export function contextSources({ name, aggregate }: NewContext): Sources {
  const [stream, schemas, value] = [constant(name), `${camel(aggregate)}Events`, camel(name)];
  const [type, field] = [pascal(aggregate), camel(aggregate)];
  const id = `${field}Id`;
  return {
    'context.ts': `/** ${pascal(name)}: what it is for, in a line. */
import { context } from '../runtime/context.ts';
import { ${stream}, ${schemas} } from './events.ts';
import { ${value} } from './${aggregate}.ts';
import { stored${type}, storedEvents } from './stored-events.ts';

export default context({
  stream: { name: ${stream}, description: 'the log of ${aggregate} events, kept for ever' },
  events: ${schemas},
  aggregates: [{ aggregate: ${value}, storedEvents, state: stored${type} }],
  exports: ['events.ts', 'commands.ts'],
});
`,
    'events.ts': `/** Published events of ${name}: what every subscriber may rely on. Fields may be added, never changed or removed. */
import * as z from 'zod/mini';

const time = z.iso.datetime();

/** The ${aggregate} as it stands after an event; times are RFC 3339 in UTC. */
const public${type} = z.object({
  ${id}: z.uuid(),
  version: z.int().check(z.positive()),
  createdAt: time,
});
export type Public${type} = z.infer<typeof public${type}>;

/** Stream that carries the events, on subjects \`${aggregate}.<${id}>.<what happened>\`. */
export const ${stream} = '${stream}';

/** Type of an event → schema of its data: what changed, and the ${aggregate} after it. */
export const ${schemas} = {
  '${aggregate}.created': z.object({ ${field}: public${type} }),
} as const;
`,
    [`${aggregate}.ts`]: `/** The ${aggregate}: its events, its state, and what is published of it. Pure. */
import type { Aggregate } from '../runtime/aggregate.ts';
import type { Public${type} } from './events.ts';

type Created = { readonly ${id}: string; readonly createdAt: string };
export type ${type}Event = { readonly type: '${aggregate}.created'; readonly data: Created };

export type ${type} = { readonly status: 'none' } | ({ readonly status: 'created' } & Created);

function publish(${field}: ${type}, version: number): Public${type} {
  if (${field}.status === 'none') throw new Error('without an event there is nothing to publish');
  const { ${id}, createdAt } = ${field};
  return { ${id}, version, createdAt };
}

export const ${value}: Aggregate<${type}, ${type}Event> = {
  name: '${aggregate}',
  initial: { status: 'none' },
  schemaVersion: 1,
  snapshotEvery: 100,
  upcasters: { '${aggregate}.created': [] },
  evolve: (_${field}, { data }) => ({ status: 'created', ...data }),
  publish,
};
`,
    'stored-events.ts': `/** What is stored of ${name}: events, version by version, the first one first, and states. A schema that was ever written stays as it is: change is a new version. */
import * as z from 'zod/mini';
import type { ${type} } from './${aggregate}.ts';

const created = { ${id}: z.uuid(), createdAt: z.iso.datetime() };

export const storedEvents = { '${aggregate}.created': [z.strictObject(created)] } as const;

/** The state of a ${aggregate} in a snapshot, of the schema version that \`${value}\` names. */
export const stored${type}: z.ZodMiniType<${type}> = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('none') }),
  z.strictObject({ status: z.literal('created'), ...created }),
]);
`,
  };
}
