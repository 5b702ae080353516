/** A plan → a shop of its own, under load and faults, until it is quiet again; and what the checker says of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { sweep } from '../../operate/dead-letters/sweep.ts';
import { check, checkRest } from './check/check.ts';
import type { Violation } from './check/violation.ts';
import { type Injected, injectAll } from './faults.ts';
import { gather, gatherRest, gatherStock, type Stores } from './gather.ts';
import { type Load, openLoad } from './load.ts';
import { type Journey, type PlannedFault, STOCK } from './plan.ts';
import type { Snapshot } from './snapshot.ts';
import { type Impossible, letGo, openWorld, type World } from './world.ts';

export type Run = {
  readonly faults: readonly PlannedFault[];
  /** More of them than there is time for: those that have not begun when the faults are over never do. */
  readonly journeys: readonly Journey[];
  /** How long the shop may take to be quiet when all faults are over. */
  readonly settleMs: number;
  say(line: string): void;
};
export type Result = {
  readonly injected: readonly Injected[];
  readonly impossible: Impossible;
  readonly snapshot: Snapshot;
  readonly violations: readonly Violation[];
  /** Answers with 500. */
  readonly internalErrors: readonly string[];
  /** From the end of the last fault until the shop was quiet. */
  readonly settledMs: number;
  /** Where its data and logs are, when something was wrong. */
  readonly kept: string | undefined;
};

async function stockUp({ database }: Stores): Promise<void> {
  const text = `insert into products (sku, name, price_minor, currency, stock) values ($1, $1, 995, 'EUR', $2)`;
  for (const [sku, pieces] of Object.entries(STOCK)) await database.query(text, [sku, pieces]);
}

/** Of a message; later than any that is being worked on. */
const SWEPT_AFTER_MS = 60_000;

/**
 * Twice in a row: a message that was just stored is counted a moment later. Sweeps now and then, as an operator does. What
 * takes too long the checker will name.
 */
async function waitForRest(stores: Stores, until: number, say: Run['say']): Promise<void> {
  let sweptAt = Date.now();
  for (let quiet = 0; quiet < 2 && Date.now() < until; ) {
    await delay(1_000);
    const rest = await gatherRest(stores).catch(() => undefined);
    quiet = rest && checkRest(rest).length === 0 ? quiet + 1 : 0;
    if (Date.now() - sweptAt < SWEPT_AFTER_MS) continue;
    sweptAt = Date.now();
    await sweep(stores.bus, SWEPT_AFTER_MS, false, ({ stream, sequence, subject, why }) =>
      say(`swept: ${stream} ${sequence}, ${subject}, ${why}`),
    ).catch(() => undefined);
  }
}

async function injure(world: World, load: Load, { faults, journeys, settleMs, say }: Run, end: AbortController) {
  const stop = new AbortController();
  const running = load.run(journeys, stop.signal);
  const injected = await injectAll(world, faults, load, say);
  letGo(world);
  const letGoAt = Date.now();
  say('all faults are over; the shop comes to rest');
  await load.recovered(letGoAt);
  stop.abort();
  const late = setTimeout(() => end.abort(), settleMs);
  await running;
  clearTimeout(late);
  await waitForRest(world.client, letGoAt + settleMs, say);
  return { injected, settledMs: Date.now() - letGoAt };
}

export async function runChaos(run: Run): Promise<Result> {
  const world = await openWorld();
  let kept: string | undefined = world.dataDir;
  try {
    run.say(`the shop is up, its data in ${world.dataDir}`);
    const { client: stores, impossible } = world;
    for (const [name, why] of impossible) run.say(`${name} is not injected: ${why}`);
    await stockUp(stores);
    const stockBefore = await gatherStock(stores, Object.keys(STOCK));
    const end = new AbortController();
    const load = openLoad(world, end.signal);
    const { injected, settledMs } = await injure(world, load, run, end);
    const { client, signUps } = load;
    const snapshot = await gather(stores, {
      answers: client.answers,
      unanswered: client.unanswered(),
      signUps,
      stockBefore,
      planted: world.planted,
      mails: world.mail.arrivals(),
      excuses: world.excuses,
    });
    const violations = check(snapshot);
    if (violations.length === 0) kept = undefined;
    return { injected, impossible, settledMs, snapshot, violations, internalErrors: client.internalErrors(), kept };
  } finally {
    await world.end(kept !== undefined);
  }
}
