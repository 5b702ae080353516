/** `npm run bench -- elasticity`: a day's load against the shop as its rules scale it, and as it is always on for the peak. */
import { setTimeout as delay } from 'node:timers/promises';
import { openCleanup } from '../local/cleanup.ts';
import type { Rule } from '../local/manifests.ts';
import type { FunctionState } from '../local/scaler.ts';
import { DAY, moments, rates, secondsOf } from './day.ts';
import type { Part, Plot, Result } from './part.ts';
import { quantile } from './quantile.ts';
import { openShop, type Shop, untilTrue } from './shop.ts';
import { statesOf, type Usage, watchUsage } from './usage.ts';
import { openWaits } from './waits.ts';

/** E-mail takes its time: order-emails is scaled by the work that waits. */
const MAIL_MS = 50;

type Day = { readonly usage: Usage; readonly waits: readonly number[]; readonly answers: readonly number[] };

/** All are there, each once, in the store and in the read model, and as many e-mails at least; else it throws. */
async function checkOrders({ database, mail }: Shop, orders: number): Promise<void> {
  const count = async (sql: string): Promise<number> => Number((await database.query(sql)).rows[0].count);
  await untilTrue('a row for each order', async () => (await count('select count(*) from order_view')) >= orders);
  await untilTrue('an e-mail for each order', () => mail.taken() >= orders);
  const events = await count(`select count(*) from order_events where type = 'order.created'`);
  const rows = await count('select count(*) from order_view');
  if (events !== orders || rows !== orders)
    throw new Error(`of ${orders} orders there are ${events} events and ${rows} rows`);
}

/** Sends each order at its time, and reads each once; answers' seconds, sorted. */
async function play(shop: Shop): Promise<number[]> {
  const began = Date.now();
  const answers = await Promise.all(
    moments(DAY).map(async (atMs) => {
      await delay(began + atMs - Date.now());
      const { sentAt, answeredAt, body } = await shop.order();
      await shop.read((body as { orderId: string }).orderId);
      return (answeredAt - sentAt) / 1_000;
    }),
  );
  await delay(began + secondsOf(DAY) * 1_000 - Date.now());
  return answers.sort((a, b) => a - b);
}

async function measure(ruleOf: (rule: Rule) => Rule, settled: (shop: Shop) => Promise<void>): Promise<Day> {
  const cleanup = openCleanup();
  try {
    const waits = await openWaits(cleanup);
    const shop = await openShop(cleanup, { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: waits.url }, ruleOf });
    shop.mail.become(MAIL_MS);
    await settled(shop);
    const watch = watchUsage(shop.endpoints.http);
    const answers = await play(shop);
    const usage = await watch.end();
    await checkOrders(shop, moments(DAY).length);
    return { usage, waits: waits.sorted(), answers };
  } finally {
    await cleanup.unwind();
  }
}

/** Services are always on, whatever the rules are. */
async function scaledOnes({ endpoints }: Shop): Promise<FunctionState[]> {
  return (await statesOf(endpoints.http)).filter(({ kind }) => kind !== 'service');
}
const asleep = (shop: Shop): Promise<void> =>
  untilTrue('sleep', async () => (await scaledOnes(shop)).every(({ pids }) => pids.length === 0));
const allOn = (shop: Shop): Promise<void> =>
  untilTrue('every function to be on', async () => (await scaledOnes(shop)).every(({ ready, min }) => ready >= min));

/** As many replicas as it ever had, at least one, all the time. */
const alwaysOn =
  (most: Usage['most']) =>
  (rule: Rule): Rule => {
    if (rule.scaledBy === 'hpa') return rule;
    const replicas = Math.max(1, most[rule.name] ?? 0);
    return { ...rule, min: replicas, max: replicas };
  };

const plotOf = (scaled: Usage, on: Usage): Plot => ({
  name: 'elasticity',
  title: 'A day: orders a second and replicas',
  x: { label: 'seconds' },
  y: { label: 'orders a second, replicas of all functions' },
  series: [
    { name: 'orders a second', points: rates(DAY) },
    { name: 'replicas, scaled by the rules', points: scaled.replicas },
    { name: 'replicas, always on', points: on.replicas },
  ],
});

const ms = (seconds: number): string => `${Math.round(1_000 * seconds)} ms`;
const waited = ({ waits, answers }: Day): string =>
  `messages waited p50 ${ms(quantile(waits, 0.5))}, p95 ${ms(quantile(waits, 0.95))}, max ${ms(quantile(waits, 1))}; ` +
  `orders were answered in p50 ${ms(quantile(answers, 0.5))}, p95 ${ms(quantile(answers, 0.95))}, max ${ms(quantile(answers, 1))}`;

async function run(): Promise<Result> {
  const scaled = await measure((rule) => rule, asleep);
  const on = await measure(alwaysOn(scaled.usage.most), allOn);
  const orders = moments(DAY).length;
  const used = Object.entries(scaled.usage.most).filter(([, most]) => most > 0);
  const always = used.reduce((sum, [name]) => sum + (on.usage.secondsOf[name] ?? 0), 0);
  const what = 'always on, provisioned for the peak';
  const cost = { what, value: on.usage.replicaSeconds };
  return {
    rows: [
      {
        what: 'replica-seconds of a day, all functions',
        value: scaled.usage.replicaSeconds,
        unit: 's',
        baseline: cost,
        reach: { is: 'at most', ratio: 0.5 },
      },
      {
        what: 'replica-seconds of a day, functions that it woke',
        value: scaled.usage.replicaSeconds,
        unit: 's',
        baseline: { what, value: always },
      },
      {
        what: 'CPU-seconds of a day, all functions',
        value: scaled.usage.cpuSeconds,
        unit: 's',
        baseline: { what, value: on.usage.cpuSeconds },
      },
      {
        what: 'wait of a message until its handler, p95',
        value: quantile(scaled.waits, 0.95),
        unit: 's',
        baseline: { what: 'a second', value: 1 },
        reach: { is: 'at most', ratio: 1 },
      },
      {
        what: 'wait of a message until its handler, p50',
        value: quantile(scaled.waits, 0.5),
        unit: 's',
        baseline: { what, value: quantile(on.waits, 0.5) },
      },
      {
        what: 'wait of a message until its handler, max',
        value: quantile(scaled.waits, 1),
        unit: 's',
        baseline: { what, value: quantile(on.waits, 1) },
      },
      {
        what: 'orders that are there, once, and were read and confirmed',
        value: orders,
        unit: 'orders',
        baseline: { what: 'sent', value: orders },
        reach: { is: 'at least', ratio: 1 },
      },
    ],
    plots: [plotOf(scaled.usage, on.usage)],
    notes: [
      `the day takes ${secondsOf(DAY)} s: ${DAY.map(({ name, seconds, from, to }) => `${name} ${seconds} s at ${from === to ? from : `${from} to ${to}`}/s`).join(', ')}; only the load is compressed, the rules are those of knative/functions: what is awake stays awake for their 15 s, which is hours of that day`,
      `most replicas: ${used.map(([name, most]) => `${name} ${most}`).join(', ')}; each e-mail takes ${MAIL_MS} ms`,
      `scaled: ${waited(scaled)}`,
      `always on: ${waited(on)}`,
    ],
  };
}

export const elasticity: Part = {
  name: 'elasticity',
  about: 'cost and waits of a day with night, peak and flash sale, against the same functions always on for the peak',
  run,
};
