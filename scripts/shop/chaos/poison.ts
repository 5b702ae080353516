/** Messages that no function can handle, and messages that come again, late and out of order. */
import { nameId, newId } from '../../../functions/runtime/ids.ts';
import { parseHeaders, type Stored, storedMessages } from '../../operate/dead-letters/dead-letters.ts';
import type { Random } from '../../operate/scale/model/random.ts';
import type { World } from './world.ts';

type Poison = {
  readonly subject: string;
  readonly data: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Those that must keep it as a dead letter. */
  readonly functions: readonly string[];
};

const OF_CREATED = ['order-view', 'sales-view', 'order-emails', 'expire-unpaid'];
const OF_PAID = ['order-view', 'sales-view', 'order-emails', 'expire-unpaid', 'refund-cancelled'];

/** Malformed, of a wrong schema, of a version that nobody knows, and of a type that is not its subject's. */
const poisons = (id: string): Poison[] => [
  { subject: 'command.order.create', data: '{"lines":', functions: ['create-order'] },
  { subject: 'command.order.pay', data: '{"orderId":7,"token":[]}', functions: ['pay-order'] },
  {
    subject: 'command.order.ship',
    data: '{}',
    headers: { 'ce-type': 'command.order.sink' },
    functions: ['ship-order'],
  },
  { subject: `order.${id}.created`, data: '{"order":', functions: OF_CREATED },
  {
    subject: `order.${id}.created`,
    data: '{"purchase":{}}',
    headers: { 'ce-dataschema': 'urn:millrace:order.created:99' },
    functions: OF_CREATED,
  },
  { subject: `order.${id}.paid`, data: '{"order":{"orderId":null}}', functions: OF_PAID },
  { subject: `order.${id}.exploded`, data: '{}', functions: [] },
  { subject: `user.${id}.created`, data: 'null', functions: ['account-emails'] },
];

export async function plantPoison({ client, planted }: World, seed: number): Promise<void> {
  const orderId = nameId('chaos', String(seed));
  const work = poisons(orderId).map(async ({ subject, data, headers = {}, functions }, index) => {
    const id = `planted-${seed}-${index}`;
    planted.push({ id, functions });
    await client.bus.publish(subject, data, { 'ce-id': id, ...headers }, id);
  });
  await Promise.all(work);
}

const REPEATED = 40;

/** Events of the past, published again as they were: to whoever has seen what came after them, they are late. */
export async function repeatEvents({ client: { bus } }: World, random: Random): Promise<void> {
  for (const stream of ['ORDERS', 'USERS']) {
    const stored: Stored['message'][] = [];
    for await (const { message } of storedMessages(bus, stream, '>')) stored.push(message);
    for (const message of random.shuffled(stored).slice(0, REPEATED)) {
      const kept = Object.entries(parseHeaders(message.hdrs)).filter(([name]) => !name.startsWith('nats-'));
      await bus.publish(message.subject, Buffer.from(message.data ?? '', 'base64'), Object.fromEntries(kept), newId());
    }
  }
}
