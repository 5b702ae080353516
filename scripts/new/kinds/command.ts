/** What is wanted → the sources of a command: a handler with an empty decision. Pure. */

import { ID, TIME } from '../events.ts';
import { commandOf } from '../names.ts';
import type { Request } from '../request.ts';
import { pathTo, type Sources } from '../sources.ts';

export function commandSources({ context, name }: Request): Sources {
  const { constant, schema, type } = commandOf(name);
  const orders = (file: string) => pathTo(context, 'orders', file);
  return {
    'function.ts': `/** The command ${type} → nothing yet. */
import { command } from '../../runtime/command.ts';
import { ${constant}, ${schema} } from '${orders('commands.ts')}';
import { orders } from '${orders('order.ts')}';
import { moveStock } from '${orders('stock.ts')}';
import { decide } from './decide.ts';

export default command({
  type: ${constant},
  accepts: ${schema},
  gives: [],
  aggregate: orders,
  target: ({ orderId }) => orderId,
  actor: ({ actor }) => actor.userId,
  decide,
  writes: (events, order) => [moveStock(events, order)],
});
`,
    'decide.ts': `/** Pure: an open order → the events that ${name} leads to. */
import type * as z from 'zod/mini';
import type { Decision } from '../../runtime/command.ts';
import { openOrderOf } from '${orders('access.ts')}';
import type { ${schema} } from '${orders('commands.ts')}';
import type { Order, OrderEventOf } from '${orders('order.ts')}';

export function decide(command: z.infer<typeof ${schema}>, state: Order, { version }: Decision): OrderEventOf<never>[] {
  openOrderOf(command, state, version);
  return [];
}
`,
    'decide.test.ts': `import { expect, test } from 'vitest';
import { readSettings } from '../../runtime/process/settings.ts';
import type { Order } from '${orders('order.ts')}';
import { decide } from './decide.ts';

const id = '${ID}';
const now = '${TIME}';
const open: Order = {
  status: 'open', orderId: id, customerId: id, currency: 'EUR', lines: [], totalMinor: 2500, shippingCountry: null,
  createdAt: now, paymentDueAt: null, paidMinor: 0, refundedMinor: 0, failedPayments: 0, shipments: [],
};
const decision = { now, id, version: 1, commandId: id, reads: null, performed: null, settings: readSettings([], {}) };

test('${name} leads to events of an open order', () => {
  const events = decide({ orderId: id, actor: { userId: id, role: 'staff' } }, open, decision);
  const next = 'write decide.ts: return the events of ${name}, which function.ts gives. Then expect just these here';
  expect(events, next).not.toEqual([]);
});
`,
  };
}
