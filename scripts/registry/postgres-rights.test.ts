import { expect, test } from 'vitest';
import type { DefinedContext } from './contexts.ts';
import type { DefinedFunction } from './functions.ts';
import { rolesOf } from './postgres-rights.ts';

const settings = { DATABASE_URL: {} };
const fn = (name: string, kind: string, more: object = {}) =>
  ({ name, kind, context: 'parcels', settings, publishes: [], ...more }) as unknown as DefinedFunction;
const platform: DefinedContext = { name: 'platform', tables: { outbox: {}, commands: {} } };
const parcels = (tables: DefinedContext['tables'] = {}): DefinedContext => ({
  name: 'parcels',
  aggregates: [{ aggregate: { name: 'parcel' } }] as unknown as NonNullable<DefinedContext['aggregates']>,
  tables,
});
const grantsOf = (contexts: DefinedContext[], functions: DefinedFunction[], role: string) =>
  rolesOf({ contexts, functions })
    .find(({ name }) => name === role)
    ?.grants.map(({ table, privileges }) => `${table}: ${privileges}`);

test('a command may append to the events of its context, and what is declared besides', () => {
  const declared = parcels({ labels: { command: 'select', desk: 'update (text)' } });
  const functions = [fn('send-parcel', 'command'), fn('desk', 'http')];
  expect(grantsOf([platform, declared], functions, 'parcels_command')).toEqual([
    'commands: select, insert',
    'labels: select',
    'outbox: select, insert, delete',
    'parcel_events: select, insert',
    'parcel_snapshots: select, insert, update',
  ]);
  expect(grantsOf([platform, declared], functions, 'desk')).toEqual(['labels: update (text)']);
});

test('a projector may write its own table and what was applied to it, and no other', () => {
  const functions = [fn('parcel-view', 'projector', { table: 'parcel_view', applied: 'parcel_view_applied' })];
  expect(grantsOf([platform, parcels()], functions, 'parcels_projector')).toEqual([
    'parcel_view: select, insert, update',
    'parcel_view_applied: select, insert',
  ]);
});

test.each([
  ['nobody', [platform, parcels({ labels: { clerk: 'select' } })], "gives rights on labels to 'clerk'"],
  [
    'two owners',
    [platform, parcels(), { name: 'post', tables: { outbox: {} } }],
    'the table outbox is declared by platform and post',
  ],
  ['no owner', [parcels()], 'is to use the table commands, which no context declares'],
])('a right of %s is refused, and the place is named', (_what, contexts, says) => {
  expect(() => rolesOf({ contexts, functions: [fn('send-parcel', 'command')] })).toThrow(says);
});
