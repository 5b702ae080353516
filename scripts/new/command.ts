/** What is wanted → the sources of a command: a handler with an empty decision. Pure. */
import { UsageError } from '../cli/cli.ts';
import { camel, commandOf } from './names.ts';
import type { NewFunction } from './request.ts';
import type { Sources } from './sources.ts';

const own = ({ context }: NewFunction) => {
  if (!context.aggregateNames) throw new Error(`${context.name} has no aggregate`);
  return context.aggregateNames;
};

const HEAD = (
  context: string,
  aggregate: string,
): string => `/** Commands of ${context} as they travel on stream COMMANDS: schemas, shared by senders and handlers. */
import * as z from 'zod/mini';

/** Who gives a command. Whoever may publish to COMMANDS directly speaks for the system itself. */
const actor = z.strictObject({ userId: z.string(), role: z.string() });

const addressed = {
  /** In one spelling: it is compared, and a part of subjects. */
  ${camel(aggregate)}Id: z.uuid().check(z.toLowerCase()),
  actor: z._default(actor, { userId: 'system', role: 'system' }),
};
`;

/** commands.ts of the context with the command in it. `text` is what it holds; undefined: there is none yet. */
export function withCommand(request: NewFunction, text: string | undefined): string {
  const { context, name } = request;
  const { type, constant, schema } = commandOf(name, own(request).name);
  const before = text ?? HEAD(context.name, own(request).name);
  const file = `functions/${context.name}/commands.ts`;
  if (before.includes(`'${type}'`) || new RegExp(`\\b(${constant}|${schema})\\b`).test(before))
    throw new UsageError(`the command ${type} is there already, in ${file}: choose another name`);
  if (!/\bconst addressed\b/.test(before))
    throw new UsageError(`${file} has no 'const addressed', the fields of every command: write it there first`);
  return `${before}\nexport const ${constant} = '${type}';\nexport const ${schema} = z.strictObject(addressed);\n`;
}

export function commandSources(request: NewFunction): Sources {
  const { name } = request;
  const { name: aggregate, value, state } = own(request);
  const { constant, schema, type } = commandOf(name, aggregate);
  const id = `${camel(aggregate)}Id`;
  return {
    'function.ts': `/** The command ${type} → nothing yet. */
import { command } from '../../runtime/command.ts';
import { ${constant}, ${schema} } from '../commands.ts';
import { ${value} } from '../${aggregate}.ts';
import { decide } from './decide.ts';

export default command({
  type: ${constant},
  accepts: ${schema},
  publishes: [],
  aggregate: ${value},
  target: ({ ${id} }) => ${id},
  actor: ({ actor }) => actor.userId,
  decide,
});
`,
    'decide.ts': `/** Pure: the ${aggregate} as it is → the events that ${name} leads to. */
import type * as z from 'zod/mini';
import type { ${schema} } from '../commands.ts';
import type { ${state} } from '../${aggregate}.ts';

export const decide = (_command: z.infer<typeof ${schema}>, _${camel(aggregate)}: ${state}): never[] => [];
`,
    'decide.test.ts': `import { expect, test } from 'vitest';
import { ${schema} } from '../commands.ts';
import { ${value} } from '../${aggregate}.ts';
import { decide } from './decide.ts';

test('${name} leads to events', () => {
  const command = ${schema}.parse({ ${id}: '0199aaaa-0000-7000-8000-000000000001' });
  const next = 'write decide.ts: return the events of ${name}, which function.ts publishes. Then expect just these here';
  expect(decide(command, ${value}.initial), next).not.toEqual([]);
});
`,
  };
}
