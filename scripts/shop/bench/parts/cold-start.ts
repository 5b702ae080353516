/** `npm run bench -- cold-start`: CPU and time of functions that start for one message, beside `node -e 0` and the documented set-up. */
import path from 'node:path';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { bakeCache, COLD, type Cold, coldStart, openSite, placeOrder, type Site, startOf } from '../measure/cold.ts';
import { documentedStart } from '../measure/documented.ts';
import { type Spent, spentBy } from '../measure/spent.ts';
import type { Part, Result, Row } from '../part.ts';
import { median } from '../quantile.ts';

const ROUNDS = 16;
/** One is slow, and nothing near a limit. */
const DOCUMENTED_EVERY = 4;
const REACH: Readonly<Record<Cold, { readonly ratio: number; readonly stretch: number }>> = {
  'create-order': { ratio: 3.2, stretch: 2.7 },
  'order-view': { ratio: 2.8, stretch: 2.5 },
  'order-emails': { ratio: 5.2, stretch: 3.9 },
};
const LESS_THAN_DOCUMENTED = 6;
const NODE = 'node -e 0';
const DOCUMENTED = 'the documented set-up';

async function measure(site: Site): Promise<Map<string, Spent[]>> {
  const documented = await documentedStart(path.join(site.folder, 'documented'), 'orders', 'create-order');
  const taken = new Map<string, Spent[]>([NODE, DOCUMENTED, ...COLD].map((name) => [name, []]));
  for (const name of COLD) await bakeCache(site, name);
  const keep = (name: string, spent: Spent): void => void taken.get(name)?.push(spent);
  const own = async (name: Cold, trace: string): Promise<void> =>
    keep(name, await coldStart(site, name, startOf(site, name), trace));
  for (let round = 0; round < ROUNDS; round += 1) {
    keep(NODE, await spentBy({ command: ['-e', '0'], environment: {} }));
    const trace = await placeOrder(site);
    if (round % DOCUMENTED_EVERY === 0)
      keep(DOCUMENTED, await coldStart(site, 'create-order', documented, 'pg.query', false));
    else await own('create-order', trace);
    await own('order-view', trace);
    await own('order-emails', trace);
  }
  return taken;
}

function rowsOf(taken: ReadonlyMap<string, readonly Spent[]>): Row[] {
  const of = (name: string, what: 'cpuMs' | 'wallMs'): number =>
    median((taken.get(name) ?? []).map((spent) => spent[what]));
  const cpu = { what: NODE, value: of(NODE, 'cpuMs') };
  const wall = { what: NODE, value: of(NODE, 'wallMs') };
  return [
    ...COLD.map((name) => ({
      what: `${name}, CPU from start to end, one message`,
      value: of(name, 'cpuMs'),
      unit: 'ms',
      baseline: cpu,
      reach: { is: 'at most', ...REACH[name] } as const,
    })),
    ...COLD.map((name) => ({
      what: `${name}, time from start to ready and acked`,
      value: of(name, 'wallMs'),
      unit: 'ms',
      baseline: wall,
    })),
    {
      what: `${DOCUMENTED} of create-order, CPU from start to end`,
      value: of(DOCUMENTED, 'cpuMs'),
      unit: 'ms',
      baseline: { what: 'create-order', value: of('create-order', 'cpuMs') },
      reach: { is: 'at least', ratio: LESS_THAN_DOCUMENTED },
    },
  ];
}

async function run(cleanup: Cleanup): Promise<Result> {
  const taken = await measure(await openSite(cleanup));
  return {
    rows: rowsOf(taken),
    notes: [
      `Medians of ${ROUNDS} rounds, each in turn. A run counts only if /readyz answered, the message was acked and its span came to a receiver.`,
      'The compile cache is the one that an image has: made by its warm-up, with one message of stand-ins for its servers, and only read.',
      `${DOCUMENTED}: functions-framework, and --require @opentelemetry/auto-instrumentations-node/register with the detectors of its README, unbundled, the same handler.`,
      'NATS without a key and Postgres without a password: what those add is not in it.',
    ],
  };
}

export const coldStarts: Part = {
  name: 'cold-start',
  about: 'CPU and time of traced functions from their start to the end of their first message',
  run,
};
