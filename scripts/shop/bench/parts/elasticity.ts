/** `npm run bench -- elasticity`: a day's load against the shop as its rules scale it, and as it is always on for the peak. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Rule } from '../../../manifests/rules.ts';
import type { Plot } from '../../../operate/scale/svg.ts';
import type { FunctionState } from '../../../platform/scaling/scaler.ts';
import { openCleanup } from '../../../platform/servers/cleanup.ts';
import { AWAKE, DAY, moments, rates, type Span, secondsOf } from '../load/day.ts';
import { openShop, type Shop, untilTrue } from '../measure/shop.ts';
import { statesOf, type Usage, watchUsage } from '../measure/usage.ts';
import { openWaits } from '../measure/waits.ts';
import type { Part, Result } from '../part.ts';
import { quantile } from '../quantile.ts';

/** E-mail takes its time: order-emails is scaled by the work that waits. */
const MAIL_MS = 50;

type Day = { readonly usage: Usage; readonly waits: readonly number[]; readonly answers: readonly number[] };

/** All are there, each once, in the store, in the read model and in an e-mail; else it throws. */
async function checkOrders({ database, mail }: Shop, orders: number): Promise<void> {
  const count = async (sql: string): Promise<number> => Number((await database.query(sql)).rows[0].count);
  await untilTrue('a row for each order', async () => (await count('select count(*) from order_view')) >= orders);
  await untilTrue('an e-mail for each order', () => mail.confirmations().length >= orders);
  const events = await count(`select count(*) from order_events where type = 'order.created'`);
  const rows = await count('select count(*) from order_view');
  const [mails, distinct] = [mail.confirmations().length, new Set(mail.confirmations()).size];
  if (events !== orders || rows !== orders || mails !== orders || distinct !== orders)
    throw new Error(
      `of ${orders} orders there are ${events} events, ${rows} rows, ${mails} e-mails, ${distinct} of them different`,
    );
}

/** Sends each order at its time, and reads each once; answers' seconds, sorted. */
async function play(shop: Shop, day: readonly Span[]): Promise<number[]> {
  const began = Date.now();
  const answers = await Promise.all(
    moments(day).map(async (atMs) => {
      await delay(Math.max(0, began + atMs - Date.now()));
      const { sentAt, answeredAt, body } = await shop.order();
      await shop.read((body as { orderId: string }).orderId);
      return (answeredAt - sentAt) / 1_000;
    }),
  );
  await delay(Math.max(0, began + secondsOf(day) * 1_000 - Date.now()));
  return answers.sort((a, b) => a - b);
}

async function measure(
  day: readonly Span[],
  ruleOf: (rule: Rule) => Rule,
  settled: (shop: Shop) => Promise<void>,
): Promise<Day> {
  const cleanup = openCleanup();
  try {
    const waits = await openWaits(cleanup);
    const shop = await openShop(cleanup, { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: waits.url }, ruleOf });
    shop.mail.become(MAIL_MS);
    await settled(shop);
    const watch = watchUsage(shop.endpoints.http);
    const answers = await play(shop, day);
    const usage = await watch.end();
    await checkOrders(shop, moments(day).length);
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

/** Who is always on is there at night too, and has next to nothing to do: it costs its replicas, and no CPU is counted. */
function withNights(usage: Usage): Usage {
  const played = usage.replicas.at(-1)?.[0] ?? Number.NaN;
  const nights = secondsOf(DAY) - secondsOf(AWAKE);
  const share = (played + nights) / played;
  const seconds = Object.entries(usage.secondsOf).map(([name, value]) => [name, value * share]);
  const morning = DAY[0]?.seconds ?? 0;
  const replicas = usage.replicas.map(([at, many]) => [at + morning, many] as const);
  return { ...usage, replicaSeconds: usage.replicaSeconds * share, secondsOf: Object.fromEntries(seconds), replicas };
}

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
  const scaled = await measure(DAY, (rule) => rule, asleep);
  const awake = await measure(AWAKE, alwaysOn(scaled.usage.most), allOn);
  const on = { ...awake, usage: withNights(awake.usage) };
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
      'always on, the nights are not played: their replicas are counted, and no CPU',
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
