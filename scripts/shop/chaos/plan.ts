/** Seed and duration → the faults and the orders of a run. Pure: the same seed gives the same plan. */
import { type Random, randomOf } from '../../operate/scale/model/random.ts';

/** Names of faults; what each does is in faults.ts. Bounds of how long it lasts, in ms. */
export const FAULTS = {
  'kill nats': [0, 0],
  'kill postgres': [0, 0],
  'kill user-service': [0, 0],
  'kill a function': [0, 0],
  'kill every function': [0, 0],
  'kill everything': [0, 0],
  'freeze nats': [2_000, 5_000],
  'freeze postgres': [2_000, 5_000],
  'freeze user-service': [2_000, 5_000],
  'freeze a function': [2_000, 5_000],
  // Longer than messages and e-mails are theirs: others take over, and then they wake.
  zombies: [33_000, 38_000],
  'cut nats': [1_000, 4_000],
  'cut postgres': [1_000, 4_000],
  'cut users': [1_000, 4_000],
  'slow nats': [2_000, 5_000],
  'slow postgres': [2_000, 5_000],
  'slow users': [2_000, 5_000],
  'swallow nats': [3_000, 12_000],
  'swallow postgres': [3_000, 12_000],
  'swallow users': [3_000, 12_000],
  // So long that nats-server is restarted meanwhile, or not.
  'full disk': [4_000, 14_000],
  'repeat events': [0, 0],
  'repeat commands': [0, 0],
  poison: [0, 0],
  'mail hangs': [11_000, 13_000],
  'mail refused': [3_000, 6_000],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;
export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

/**
 * `pauseMs` passes before it; `seed` is for its own choices. Of one that is `alone` the shop recovers before the next one
 * begins; others meet in a shop that is still down.
 */
export type PlannedFault = {
  readonly name: FaultName;
  readonly pauseMs: number;
  readonly lastsMs: number;
  readonly alone: boolean;
  readonly seed: number;
};

const ALONE = 0.75;

function planned(random: Random, name: FaultName): PlannedFault {
  const [shortest, longest] = FAULTS[name];
  const [pauseMs, lastsMs] = [random.whole(1_500, 4_000), random.whole(shortest, longest)];
  return { name, pauseMs, lastsMs, alone: random.next() < ALONE, seed: random.whole(0, 2 ** 31) };
}

/** One of each, in this order. */
export function planOf(seed: number, names: readonly FaultName[]): PlannedFault[] {
  const random = randomOf(seed);
  return names.map((name) => planned(random, name));
}

/** Every fault once in random order, and again, as long as there is time. */
export function planFor(seed: number, durationMs: number): PlannedFault[] {
  const random = randomOf(seed);
  const faults: PlannedFault[] = [];
  for (let left = durationMs; ; ) {
    for (const name of random.shuffled(FAULT_NAMES)) {
      const fault = planned(random, name);
      left -= fault.pauseMs + fault.lastsMs;
      if (left < 0) return faults;
      faults.push(fault);
    }
  }
}

export type Step =
  | { readonly what: 'payments'; readonly token: 'tok_ok' | 'tok_declined' | 'tok_slow' }
  | { readonly what: 'cancellations' | 'deliveries' }
  | { readonly what: 'shipments' | 'refunds'; readonly part: boolean };

/** What one customer does with one order; the steps of a group at the same time. */
export type Journey = {
  readonly key: string;
  readonly atMs: number;
  readonly customer: number;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly groups: readonly (readonly Step[])[];
};

const pay: Step = { what: 'payments', token: 'tok_ok' };
const declined: Step = { what: 'payments', token: 'tok_declined' };
const slow: Step = { what: 'payments', token: 'tok_slow' };
const cancel: Step = { what: 'cancellations' };
const deliver: Step = { what: 'deliveries' };
const ship = (part: boolean): Step => ({ what: 'shipments', part });
const refund = (part: boolean): Step => ({ what: 'refunds', part });

const PATHS: readonly [Journey['groups'], ...Journey['groups'][]] = [
  [],
  [],
  [[pay]],
  [[declined], [pay]],
  [[slow]],
  [[pay], [ship(false)], [deliver]],
  [[pay], [ship(true)], [ship(false), deliver]],
  [[pay], [cancel]],
  [[pay, cancel]],
  [[cancel]],
  [[pay], [refund(true)], [refund(false)]],
  [[pay], [ship(true), refund(false)]],
];

/** Pieces for sale of each product: plenty, and so few that orders fight for the last ones. */
export const STOCK = { 'chaos-plenty': 1_000_000, 'chaos-scarce': 60 } as const;
const JOURNEYS_A_CUSTOMER = 12;

const linesOf = (random: Random): Journey['lines'] => [
  { sku: 'chaos-plenty', quantity: random.whole(2, 3) },
  ...(random.next() < 0.15 ? [{ sku: 'chaos-scarce', quantity: 1 }] : []),
];

export function planJourneys(seed: number, durationMs: number, perSecond: number): Journey[] {
  const random = randomOf(seed + 1);
  return Array.from({ length: Math.floor((durationMs / 1_000) * perSecond) }, (_, index) => ({
    key: `chaos-${seed}-${index}`,
    atMs: Math.round(((index + random.next()) * 1_000) / perSecond),
    customer: Math.floor(index / JOURNEYS_A_CUSTOMER),
    lines: linesOf(random),
    groups: random.pick(PATHS),
  }));
}
