import { expect, test } from 'vitest';
import { reserveStock } from '../commands.ts';
import { inventory } from '../inventory.ts';
import { decide } from './decide.ts';

const now = '2026-11-20T12:00:00.000Z';
const command = reserveStock.parse({
  inventoryId: '0199aaaa-0000-7000-8000-000000000001',
  pieces: [{ sku: 'mug', quantity: 2 }],
});

test('reserve-stock leads to inventory.reserved, once', () => {
  const events = decide(command, inventory.initial, { now });
  expect(events).toEqual([
    {
      type: 'inventory.reserved',
      data: { inventoryId: command.inventoryId, reserved: command.pieces, reservedAt: now },
    },
  ]);
  const after = events.reduce(inventory.evolve, inventory.initial);
  expect(() => decide(command, after, { now })).toThrow('is reserved already');
});
