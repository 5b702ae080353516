/** Names of faults → what each does to the shop, and how it ends. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Random, randomOf } from '../../operate/scale/model/random.ts';
import type { LinkState } from './link.ts';
import type { FaultName, PlannedFault } from './plan.ts';
import { plantPoison, repeatEvents } from './poison.ts';
import { functionPids, natsPids, postgresPids, postmasterPids, signal } from './processes.ts';
import type { Server, World } from './world.ts';

/** Times are ms since 1970. */
export type Injected = Pick<PlannedFault, 'name' | 'alone'> & { readonly from: number; readonly to: number };

/** What faults need of the load. */
export type Underway = {
  /** Sends requests of the past again. */
  repeatCommands(random: Random): Promise<void>;
  /** Resolves when an order that was sent after `at` is acknowledged, or after a minute. */
  recovered(at: number): Promise<void>;
};

type Context = {
  readonly world: World;
  readonly random: Random;
  readonly lastsMs: number;
  readonly underway: Underway;
};
type Inject = (context: Context) => Promise<void>;

type Pids = (world: World, random: Random) => Promise<readonly number[]> | readonly number[];

const SERVICE = 'user-service';
const MAILERS = ['order-emails', 'account-emails'];

const service: Pids = async (world) => (await functionPids(world)).get(SERVICE) ?? [];
const everyFunction: Pids = async (world) => {
  const all = await functionPids(world);
  return [...all].flatMap(([name, pids]) => (name === SERVICE ? [] : pids));
};
/** One that is awake. */
const oneFunction: Pids = async (world, random) => {
  const all = await functionPids(world);
  const [name = ''] = random.shuffled([...all.keys()].filter((one) => one !== SERVICE).sort());
  return all.get(name) ?? [];
};

const excuse = ({ excuses }: World, lastsMs = 0): void => {
  const now = Date.now();
  excuses.push({ from: now, to: now + lastsMs });
};

const everything: Pids = async (world, random) => [
  ...(await everyFunction(world, random)),
  ...(await service(world, random)),
  ...natsPids(world),
  ...postmasterPids(world),
];

/** `excused`: an e-mail that was sent at that time may be sent again. */
const kill =
  (pids: Pids, excused = false): Inject =>
  async ({ world, random }) => {
    const before = await functionPids(world);
    const found = await pids(world, random);
    const mailer = MAILERS.some((name) => before.get(name)?.some((pid) => found.includes(pid)));
    if (excused || mailer) excuse(world);
    signal(found, 'SIGKILL');
  };

const freeze =
  (pids: Pids, excused = false): Inject =>
  async ({ world, random, lastsMs }) => {
    if (excused) excuse(world, lastsMs);
    const found = await pids(world, random);
    signal(found, 'SIGSTOP');
    await delay(lastsMs);
    signal(found, 'SIGCONT');
  };

const link =
  (server: Server, state: LinkState): Inject =>
  async ({ world, lastsMs }) => {
    if (server === 'postgres' && state !== 'slow') excuse(world, lastsMs);
    world.links[server].become(state);
    await delay(lastsMs);
    world.links[server].become('open');
  };

const mail =
  (state: 'hangs' | 'refuses'): Inject =>
  async ({ world, lastsMs }) => {
    if (state === 'hangs') excuse(world, lastsMs);
    world.mail.become(state);
    await delay(lastsMs);
    world.mail.become('takes');
  };

const INJECT: Readonly<Record<FaultName, Inject>> = {
  'kill nats': kill(natsPids),
  'kill postgres': kill(postmasterPids, true),
  'kill user-service': kill(service),
  'kill a function': kill(oneFunction),
  'kill every function': kill(everyFunction),
  'kill everything': kill(everything, true),
  'freeze nats': freeze(natsPids),
  'freeze postgres': freeze(postgresPids),
  'freeze user-service': freeze(service),
  'freeze a function': freeze(oneFunction),
  zombies: freeze(everyFunction, true),
  'cut nats': link('nats', 'cut'),
  'cut postgres': link('postgres', 'cut'),
  'cut users': link('users', 'cut'),
  'slow nats': link('nats', 'slow'),
  'slow postgres': link('postgres', 'slow'),
  'slow users': link('users', 'slow'),
  'swallow nats': link('nats', 'swallow'),
  'swallow postgres': link('postgres', 'swallow'),
  'swallow users': link('users', 'swallow'),
  'repeat events': ({ world, random }) => repeatEvents(world, random),
  'repeat commands': ({ random, underway }) => underway.repeatCommands(random),
  poison: async ({ world, random }) => plantPoison(world, random.whole(0, 1_000_000)),
  'full disk': async ({ world, lastsMs }) => world.disk?.fill(lastsMs),
  'mail hangs': mail('hangs'),
  'mail refused': mail('refuses'),
};

/** One after the other, but for those that are impossible here; one that fails throws, as the run would prove nothing of it. */
export async function injectAll(
  world: World,
  faults: readonly PlannedFault[],
  underway: Underway,
  say: (line: string) => void,
): Promise<Injected[]> {
  const injected: Injected[] = [];
  for (const { name, pauseMs, lastsMs, alone, seed } of faults) {
    if (world.impossible.has(name)) continue;
    await delay(pauseMs);
    say(lastsMs > 0 ? `${name}, ${(lastsMs / 1_000).toFixed(1)} s` : name);
    const from = Date.now();
    await INJECT[name]({ world, random: randomOf(seed), lastsMs, underway });
    const to = Date.now();
    injected.push({ name, alone, from, to });
    if (alone) await underway.recovered(to);
  }
  return injected;
}
