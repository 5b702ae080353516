/** `npm run bench -- memory`: the most memory that a function had, idle and at work, beside `node -e 0`. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { freePort } from '../../../platform/servers/ports.ts';
import { probe } from '../../../platform/servers/probe.ts';
import {
  bakeCache,
  COLD,
  type Cold,
  openSite,
  placeOrder,
  type Site,
  startOf,
  undone,
  until,
} from '../measure/cold.ts';
import { spentBy } from '../measure/spent.ts';
import type { Part, Result, Row } from '../part.ts';

const IDLE_MS = 3_000;
const MESSAGES = 500;
const POLL_MS = 20;
/** MiB. */
const REACH: Readonly<Record<Cold, number>> = { 'create-order': 60, 'order-view': 60, 'order-emails': 70 };

/** Peak in MiB of a function that is ready, handles what waits for it, and stays for a while. */
async function peakOf(site: Site, name: Cold): Promise<number> {
  const port = await freePort();
  const { command, environment } = startOf(site, name);
  const start = { command, environment: { ...site.environment, ...environment, PORT: String(port) } };
  const { peakMiB } = await spentBy(start, async () => {
    await until(`${name} to be ready`, () => probe(port), POLL_MS);
    await until(`${name} to ack all`, async () => (await undone(site.bus, name)) === 0, POLL_MS);
    await delay(IDLE_MS);
  });
  return peakMiB;
}

async function run(cleanup: Cleanup): Promise<Result> {
  const site = await openSite(cleanup);
  const node = await spentBy({ command: ['-e', '0'], environment: {} });
  const baseline = { what: 'node -e 0', value: node.peakMiB };
  const row = (name: Cold, what: string, value: number): Row => ({
    what: `${name}, peak of memory, ${what}`,
    value,
    unit: 'MiB',
    baseline,
  });
  const idle: Row[] = [];
  const busy: Row[] = [];
  for (const name of COLD) {
    await bakeCache(site, name);
    const limit = { is: 'at most', ratio: REACH[name] / node.peakMiB } as const;
    idle.push({ ...row(name, `idle, of ${REACH[name]} MiB at most`, await peakOf(site, name)), reach: limit });
  }
  for (let message = 0; message < MESSAGES; message += 1) await placeOrder(site);
  for (const name of COLD) busy.push(row(name, `${MESSAGES} messages`, await peakOf(site, name)));
  return {
    rows: [...idle, ...busy],
    notes: [`Idle: ready, connected, probed, its spans and metrics pushed, ${IDLE_MS / 1_000} s without a message.`],
  };
}

export const memory: Part = {
  name: 'memory',
  about: 'the most memory that a function takes, idle and busy',
  run,
};
