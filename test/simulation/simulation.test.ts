import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { checkAll } from './checks.ts';
import { type Fault, type Plan, plans } from './plan.ts';
import { type Ended, runWorld } from './world.ts';

vi.mock(import('../../functions/runtime/jetstream/connection.ts'), async (original) => {
  const { portsOf } = await import('./ports.ts');
  return { ...(await original()), openBus: async (shell) => portsOf(shell).bus };
});
vi.mock(import('../../functions/runtime/postgres.ts'), async (original) => {
  const { portsOf } = await import('./ports.ts');
  return { ...(await original()), openDatabase: (shell) => portsOf(shell).database };
});
vi.mock(import('../../functions/orders/order.ts'), async (original) => {
  const all = await original();
  return { ...all, orders: { ...all.orders, snapshotEvery: 2 } };
});
vi.mock(import('../../functions/runtime/call-policy.ts'), async () => ({
  openCallPolicy: (await import('./ports.ts')).openCallPolicy,
}));
vi.mock(import('../../functions/notifications/smtp.ts'), async (original) => {
  const { portsOf } = await import('./ports.ts');
  return { ...(await original()), openSmtp: (shell) => ({ send: portsOf(shell).send }) };
});
vi.mock('../../functions/users/client.ts', async (original) => {
  const { portsOf } = await import('./ports.ts');
  return { ...(await original<object>()), openUserClient: (shell: object) => ({ getUser: portsOf(shell).getUser }) };
});
vi.mock('node:timers/promises', async () => ({ setTimeout: (await import('./ports.ts')).delay }));
vi.mock('node:crypto', async (original) => {
  const { randomBytes } = await import('./ports.ts');
  return { ...(await original<object>()), randomBytes };
});

const RUNS = 250;
/** Other plans: `SIMULATION_SEED=2 npm test -- test/simulation`. */
const SEED = Number(process.env.SIMULATION_SEED ?? 1);

/** Runs and checks; what fails is told with its trace. */
async function simulate(plan: Plan): Promise<Ended> {
  const ended = await runWorld(plan);
  try {
    checkAll(ended, plan);
  } catch (error) {
    if (error instanceof Error) error.message += `\n\n${ended.trace.join('\n')}`;
    throw error;
  }
  return ended;
}

const pay = { do: 'pay', token: 'tok_ok' } as const;
const life: Plan['asks'] = [
  { order: 0, afterMs: 0, times: 1, wish: { do: 'create', lines: [{ sku: 'cup', quantity: 2 }] } },
  { order: 0, afterMs: 1_000, times: 1, wish: pay },
  { order: 0, afterMs: 1_000, times: 1, wish: { do: 'refund', amountMinor: 100 } },
  { order: 0, afterMs: 1_000, times: 1, wish: { do: 'cancel' } },
];
const quiet: Plan = { asks: life, faults: [], outages: [], choices: [], replicas: 1 };

test.each<Fault['kind']>(['crash-before', 'crash-after', 'refuse', 'lose', 'slow', 'again', 'drain'])(
  'an order keeps every promise when %s happens at each of its steps in turn',
  async (kind) => {
    const { actions } = await simulate(quiet);
    expect(actions).toBeGreaterThan(50);
    for (let at = 1; at <= actions; at += 1) await simulate({ ...quiet, faults: [{ at, kind }] });
  },
);

test.each<Fault['kind']>(['crash-before', 'crash-after'])(
  'what waits for a provider that is away is neither lost nor doubled when %s happens at each step in turn',
  async (kind) => {
    const asks = life.slice(0, 2);
    const others = asks.map((ask) => ({ ...ask, order: 1, afterMs: 0 }));
    const away: Plan = {
      ...quiet,
      asks: [...asks, ...others],
      outages: [{ fromMs: 0, forMs: 40_000, of: 'query ledger', kind: 'refuse' }],
    };
    const { actions } = await simulate(away);
    for (let at = 1; at <= actions; at += 1) await simulate({ ...away, faults: [{ at, kind }] });
  },
);

const countOf = (trace: readonly string[], what: RegExp): number => trace.filter((line) => what.test(line)).length;

test.each<Fault['kind']>(['crash-before', 'drain'])(
  'events that wait together for Postgres are tried again together, none lost or doubled when %s happens at each step',
  async (kind) => {
    const wish = { do: 'create', lines: [{ sku: 'cup', quantity: 1 }] } as const;
    const asks = [0, 1, 2].map((order) => ({ order, afterMs: 0, times: 1, wish }));
    const away: Plan = {
      ...quiet,
      asks,
      outages: [
        { fromMs: 0, forMs: 2_000, of: 'query project', kind: 'slow' },
        { fromMs: 2_000, forMs: 4_000, of: 'query project', kind: 'refuse' },
      ],
    };
    const { actions, trace } = await simulate(away);
    const [again, refused] = [/order-view#\d+ warn will try again/, /query project-order_view refuse/];
    expect(countOf(trace, again)).toBeGreaterThan(countOf(trace, refused));
    for (let at = 1; at <= actions; at += 1) await simulate({ ...away, faults: [{ at, kind }] });
  },
);

test.each<Fault['kind']>(['crash-before', 'crash-after', 'lose'])(
  'commands that wait together for Postgres are stored together or not at all, and one that cannot be spares the others when %s happens at each step',
  async (kind) => {
    const create = (order: number, quantity: number, times = 1) =>
      ({ order, afterMs: 0, times, wish: { do: 'create', lines: [{ sku: 'pot', quantity }] } }) as const;
    const asks = [create(0, 1), create(1, 1), create(2, 2, 2), create(3, 3)];
    const away: Plan = { ...quiet, asks, outages: [{ fromMs: 0, forMs: 1_000, of: 'query append', kind: 'slow' }] };
    const { actions, trace } = await simulate(away);
    expect(countOf(trace, /query append-order-1 of \d+$/)).toBeGreaterThan(0);
    for (let at = 1; at <= actions; at += 1) await simulate({ ...away, faults: [{ at, kind }] });
  },
);

test('whatever is asked, in whatever order things happen and whatever fails, every promise is kept', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      await simulate(plan);
    }),
    { numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: 40_000 },
  );
});

test('the same seed gives the same trace', async () => {
  const traces = async (seed: number): Promise<string[][]> => {
    const all = [];
    for (const plan of fc.sample(plans, { numRuns: 5, seed })) all.push((await runWorld(plan)).trace);
    return all;
  };
  const first = await traces(7);
  expect(await traces(7)).toEqual(first);
  expect(await traces(8)).not.toEqual(first);
});
