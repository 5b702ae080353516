import { expect, test } from 'vitest';
import { fold } from '../../functions/runtime/aggregate.ts';
import { publishedData, upcast } from '../../functions/runtime/store/schema-versions.ts';
import { aggregatesOf, eventsOf, readContexts } from '../../scripts/registry/contexts.ts';
import { outcomeOf, readCorpus } from '../../scripts/registry/corpus.ts';

const contexts = await readContexts();
const published = eventsOf(contexts);
const histories = contexts
  .flatMap((context) => readCorpus(context))
  .map((history) => [history.declared.aggregate.name, history.name, history] as const);

test.each(histories)("today's code reads the %s %s as it was read when it was written down", (_of, _name, history) => {
  const { declared, events, after } = history;
  expect(outcomeOf(declared.aggregate, events).after).toEqual(after);
});

// Snapshots that lie in the store are such states: when it is another one for a reason, the aggregate has another schemaVersion.
test.each(histories)(
  "today's code makes of the %s %s the state that snapshots of its schema version keep",
  (_of, _name, { declared, events, snapshot }) => {
    const today = outcomeOf(declared.aggregate, events).snapshot;
    expect(today).toStrictEqual(snapshot);
    expect(declared.state.parse(today.state)).toStrictEqual(today.state);
  },
);

test.each(histories)('every event of the %s %s is of the schema version that it says', (_of, _name, history) => {
  const { events, declared } = history;
  for (const { type, schemaVersion, data } of events)
    expect(declared.storedEvents[type]?.[schemaVersion - 1]?.parse(data)).toEqual(data);
  expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
});

test.each(histories)('every event of the %s %s is published as its schema says', (_of, _name, { declared, events }) => {
  const { aggregate } = declared;
  const upcasted = events.map((event) => upcast(aggregate, 'of the corpus', event));
  for (const [index, event] of upcasted.entries()) {
    const data = publishedData(aggregate, event, fold(aggregate, upcasted.slice(0, index + 1)), index + 1);
    const parsed = published[event.type]?.schema.parse(data) ?? {};
    expect(data).toMatchObject(parsed);
    expect(parsed).toMatchObject({ [aggregate.name]: data[aggregate.name as keyof typeof data] });
  }
});

test('every schema version of every event is in the corpus', () => {
  const known = Object.values(aggregatesOf(contexts)).flatMap(({ storedEvents }) =>
    Object.entries(storedEvents).flatMap(([type, schemas]) => schemas.map((_, index) => `${type}@${index + 1}`)),
  );
  const present = new Set(
    histories.flatMap(([, , { events }]) => events.map(({ type, schemaVersion }) => `${type}@${schemaVersion}`)),
  );
  expect(known.filter((one) => !present.has(one))).toEqual([]);
});

test('a context without a history of its aggregate is told how to make one', () => {
  const context = contexts.find(({ aggregates = [] }) => aggregates.length > 0);
  if (!context) throw new Error('no context has an aggregate');
  const [of] = Object.keys(aggregatesOf([context]));
  expect(() => readCorpus(context, '/nowhere')).toThrow(`npm run corpus -- ${of} <its id> <name of the file>`);
});
