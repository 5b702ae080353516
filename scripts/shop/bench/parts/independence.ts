/** `npm run bench -- independence`: how long an order takes to be seen while order-emails is saturated, and while it is not. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { openShop, type Shop, untilTrue } from '../measure/shop.ts';
import type { Part, Result, Row } from '../part.ts';
import { quantile } from '../quantile.ts';

const ORDERS_PER_SECOND = 20;
const SECONDS = 4;
const ROUNDS = 3;
/** More than order-emails can have in work at its most replicas: 32 at once. */
const SLOW_MS = 3_000;
const LOOK_MS = 2;

type Times = { readonly answered: number; readonly seen: number };

/** From before it is sent, in ms: until its 201, and until its row is there. */
async function orderOnce({ order, database }: Shop): Promise<Times> {
  const { sentAt, answeredAt, body } = await order();
  const { orderId } = body as { orderId: string };
  const look = { name: 'seen', text: 'select 1 from order_view where order_id = $1', values: [orderId] };
  await untilTrue('the row of an order', async () => (await database.query(look)).rows.length > 0, LOOK_MS);
  return { answered: answeredAt - sentAt, seen: Date.now() - sentAt };
}

async function phase(shop: Shop): Promise<Times[]> {
  const began = performance.now();
  const orders = Array.from({ length: ORDERS_PER_SECOND * SECONDS }, async (_, index) => {
    await delay(Math.max(0, began + (index * 1_000) / ORDERS_PER_SECOND - performance.now()));
    return orderOnce(shop);
  });
  return Promise.all(orders);
}

async function measure(shop: Shop) {
  const [without, saturated]: [Times[], Times[]] = [[], []];
  let orders = (await phase(shop)).length;
  let backlog = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [slowMs, into] of [
      [0, without],
      [SLOW_MS, saturated],
    ] as const) {
      shop.mail.become(slowMs);
      into.push(...(await phase(shop)));
      orders += ORDERS_PER_SECOND * SECONDS;
      if (slowMs > 0) backlog = Math.max(backlog, orders - shop.mail.confirmations().length);
    }
    shop.mail.become(0);
    await untilTrue('the end of the backlog', () => shop.mail.confirmations().length >= orders);
  }
  return { without, saturated, backlog };
}

async function run(cleanup: Cleanup): Promise<Result> {
  const { without, saturated, backlog } = await measure(await openShop(cleanup));
  const row = (what: string, time: keyof Times, share: number): Row => ({
    what: `${what} while order-emails is saturated, p${100 * share}`,
    value: quantile(
      saturated.map((one) => one[time]),
      share,
    ),
    unit: 'ms',
    baseline: {
      what: 'while it is not',
      value: quantile(
        without.map((one) => one[time]),
        share,
      ),
    },
    reach: { is: 'at most', ratio: 1.2 },
  });
  return {
    rows: [
      row('order seen', 'seen', 0.5),
      row('order seen', 'seen', 0.95),
      row('201', 'answered', 0.5),
      row('201', 'answered', 0.95),
    ],
    notes: [
      `${ORDERS_PER_SECOND} orders a second, ${ROUNDS} × ${SECONDS} s each in turn; saturated: an e-mail takes ${SLOW_MS / 1_000} s, and up to ${backlog} waited`,
    ],
  };
}

export const independence: Part = {
  name: 'independence',
  about: 'how long an order takes to be seen while order-emails is saturated, against while it is not',
  run,
};
