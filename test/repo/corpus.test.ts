import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { publicOrder } from '../../functions/orders/events.ts';
import { orders } from '../../functions/orders/order.ts';
import { storedEvents, storedOrder } from '../../functions/orders/stored-events.ts';
import { upcast, type WrittenEvent } from '../../functions/runtime/store/schema-versions.ts';
import { repository } from '../../scripts/registry/repository.ts';

type History = {
  readonly about: string;
  readonly events: readonly WrittenEvent[];
  readonly order: object;
  readonly snapshot: object;
};

const FOLDER = path.join(repository, 'test/corpus/orders');
const histories = readdirSync(FOLDER).map((file): [string, History] => [
  path.basename(file, '.json'),
  JSON.parse(readFileSync(path.join(FOLDER, file), 'utf8')),
]);

const schemaOf = ({ type, schemaVersion }: WrittenEvent) =>
  storedEvents[type as keyof typeof storedEvents][schemaVersion - 1];

test.each(histories)("today's code reads the order %s as it was read when it was written down", (_name, history) => {
  const events = history.events.map((event) => upcast(orders, 'of the corpus', event));
  const order = orders.publish(events.reduce(orders.evolve, orders.initial), events.length);
  expect(order).toEqual(history.order);
  expect(publicOrder.parse(order)).toEqual(order);
});

// Snapshots that lie in the store are such states: when it is another one for a reason, orders has another form.
test.each(histories)(
  "today's code makes of the order %s the state that snapshots of its form keep",
  (_name, history) => {
    const events = history.events.map((event) => upcast(orders, 'of the corpus', event));
    const state = events.reduce(orders.evolve, orders.initial);
    expect({ schemaVersion: orders.schemaVersion, state }).toStrictEqual(history.snapshot);
    expect(storedOrder.parse(state)).toStrictEqual(state);
  },
);

test.each(histories)('every event of the order %s is of the form that it says', (_name, { events }) => {
  for (const event of events) expect(schemaOf(event)?.parse(event.data)).toEqual(event.data);
  expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
});

test('every form of every event is in the corpus', () => {
  const known = Object.entries(storedEvents).flatMap(([type, schemas]) =>
    schemas.map((_, index) => `${type}@${index + 1}`),
  );
  const present = new Set(
    histories.flatMap(([, { events }]) => events.map(({ type, schemaVersion }) => `${type}@${schemaVersion}`)),
  );
  expect(known.filter((one) => !present.has(one))).toEqual([]);
});
