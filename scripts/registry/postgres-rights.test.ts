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

test('names with hyphens are roles that SQL need not quote', () => {
  const functions = [
    fn('gift-view', 'projector', { context: 'gift-cards' }),
    fn('gift-sms', 'notifier', { context: 'gift-cards', ownRole: true }),
    fn('gift-api', 'http', { context: 'gift-cards' }),
  ];
  const roles = rolesOf({ contexts: [{ name: 'gift-cards' }], functions });
  expect(roles.map(({ name }) => name)).toEqual(['gift_api', 'gift_cards_gift_sms', 'gift_cards_projector']);
});

test('functions of two kinds never share a role by their names', () => {
  const functions = [fn('send-parcel', 'command'), fn('parcels-command', 'http')];
  expect(() => rolesOf({ contexts: [platform, parcels()], functions })).toThrow(
    'send-parcel and parcels-command would share the role parcels_command',
  );
});

test.each([
  ['nobody', [platform, parcels({ labels: { clerk: 'select' } })], "gives rights on labels to 'clerk'"],
  [
    'two owners',
    [platform, parcels(), { name: 'post', tables: { outbox: {} } }],
    'the table outbox is declared by functions/platform/context.ts and functions/post/context.ts',
  ],
  [
    'no owner',
    [parcels()],
    'the table commands, which no context declares: add it to `tables` of functions/parcels/context.ts',
  ],
  [
    'no database',
    [platform, parcels({ labels: { 'tell-parcel': 'select' } })],
    "functions/parcels/context.ts gives rights on labels to 'tell-parcel', which has no database",
  ],
])('a right of %s is refused, and the place is named', (_what, contexts, says) => {
  const functions = [fn('send-parcel', 'command'), fn('tell-parcel', 'policy', { settings: {} })];
  expect(() => rolesOf({ contexts, functions })).toThrow(says);
});
