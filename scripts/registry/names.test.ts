import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { setting, text } from '../../functions/runtime/settings.ts';
import { namesIn, namesOf } from './names.ts';

const fn = (name: string, context: string, kind: 'command' | 'http' | 'relay', more: object = {}) => ({
  name,
  context,
  kind,
  consumes: [],
  publishes: [],
  schedules: [],
  settings: {},
  ...more,
});

const names = namesOf(
  [
    {
      name: 'parcels',
      stream: { name: 'PARCELS', description: 'the log of parcels' },
      events: { 'parcel.sent': z.object({ carrierId: z.string(), userId: z.string() }) },
      tables: { parcel_view: {}, weights: {} },
    },
    { name: 'edge' },
    { name: 'base', tables: { outbox: {}, outbox_state: {} } },
  ],
  [
    fn('send-parcel', 'parcels', 'command', {
      consumes: ['command.parcel.send'],
      settings: { PARCEL_SIZE: setting('The largest', text), NATS_URL: setting('NATS', text) },
    }),
    fn('labels', 'parcels', 'command'),
    fn('parcels-api', 'edge', 'http'),
    fn('outbox-relay', 'base', 'relay'),
  ],
  new Set(['NATS_URL']),
);

test('names are those of contexts, functions, events, commands, streams, ids, tables and settings', () => {
  expect(names).toEqual({
    words: [
      'PARCELS',
      'PARCEL_SIZE',
      'carrierId',
      'command.parcel.send',
      'parcel.sent',
      'parcel_view',
      'parcels-api',
      'send-parcel',
    ],
    quoted: ['labels', 'parcels'],
    contexts: ['parcels', 'edge'],
  });
});

test.each([
  ['a function', "const name = 'send-parcel';", 'send-parcel'],
  ['the consumer of its retries', 'durable: send-parcel-retries', 'send-parcel'],
  ['an event', '/** Woken by parcel.sent, say. */', 'parcel.sent'],
  ['a command', 'subject: command.parcel.send', 'command.parcel.send'],
  ['a stream', "stream === 'PARCELS'", 'PARCELS'],
  ['an id', 'row.carrierId', 'carrierId'],
  ['a table', 'select * from parcel_view', 'parcel_view'],
  ['a setting', 'PARCEL_SIZE: large', 'PARCEL_SIZE'],
  ['a context that is imported', "import { send } from '../../functions/parcels/events.ts';", 'parcels'],
  ['a context that is imported from beside it', "import { send } from '../parcels/events.ts';", 'parcels'],
  ['a context without events', "import edge from '../../functions/edge/context.ts';", 'edge'],
  ['a context that is quoted', "contexts.get('parcels')", 'parcels'],
  ['a function of one word', "fleet.http('labels')", 'labels'],
])('%s is found', (_, line, name) => {
  expect(namesIn(`/** A file. */\n${line}\n`, names)).toEqual([`2: ${name}`]);
});

test.each([
  'All parcels have labels.',
  'resend-parcel and send-parcels',
  'NATS_URL, outbox-relay, userId',
  "'parcels and more'",
  "At the 'edge' of all, with weights and outbox_state.",
  'unparcel.sent',
  'the PARCELS_OF_OTHERS',
])('nothing is found in %s', (line) => {
  expect(namesIn(line, names)).toEqual([]);
});
