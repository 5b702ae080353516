/** What a run is asked to do, and what goes wrong in it: arbitrary, and shrunk to the least that fails. */
import fc from 'fast-check';

export type Fault = {
  /** Number of the action at which it happens. */
  readonly at: number;
  readonly kind: 'crash-before' | 'crash-after' | 'refuse' | 'lose' | 'slow' | 'again' | 'drain';
};

type Wish =
  | { readonly do: 'create'; readonly lines: readonly { readonly sku: string; readonly quantity: number }[] }
  | { readonly do: 'pay'; readonly token: string }
  | { readonly do: 'cancel' | 'ship' | 'deliver' }
  | { readonly do: 'refund'; readonly amountMinor: number | undefined }
  /** A message that no consumer of it can ever take. */
  | { readonly do: 'poison'; readonly kind: 'command' | 'event' };

export type Ask = {
  /** Which of the orders. */
  readonly order: number;
  readonly afterMs: number;
  /** How often it is sent at once; more than once, then also once more at the end. */
  readonly times: number;
  readonly wish: Wish;
};

/** A time during which calls get no answer, or take longer. */
export type Outage = {
  readonly fromMs: number;
  readonly forMs: number;
  readonly of: 'query' | 'query append' | 'query ledger' | 'query project' | 'mail' | 'publish';
  readonly kind: 'refuse' | 'slow';
};

export type Plan = {
  readonly asks: readonly Ask[];
  readonly faults: readonly Fault[];
  readonly outages: readonly Outage[];
  /** Which of the possible actions is next; after them the oldest is. */
  readonly choices: readonly number[];
  /** Of each function. */
  readonly replicas: number;
};

const line = fc.record({ sku: fc.constantFrom('cup', 'pot', 'gift'), quantity: fc.integer({ min: 1, max: 3 }) });
const lines = fc.uniqueArray(line, { minLength: 1, maxLength: 3, selector: ({ sku }) => sku });
const wish: fc.Arbitrary<Wish> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('create' as const), lines }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pay' as const),
      token: fc.constantFrom('tok_ok', 'tok_ok', 'tok_slow', 'tok_late', 'tok_declined', 'tok_timeout'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'ship' as const, 'deliver' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      amountMinor: fc.option(fc.integer({ min: 1, max: 900 }), { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('poison' as const), kind: fc.constantFrom('command', 'event') }),
  },
);
const ask = fc.record({
  order: fc.nat(1),
  afterMs: fc.constantFrom(0, 0, 5, 50, 1_000, 5_000, 55_000),
  times: fc.constantFrom(1, 1, 2),
  wish,
});
const creation = (order: number): fc.Arbitrary<Ask> =>
  fc.record({
    order: fc.constant(order),
    afterMs: fc.constant(0),
    times: fc.constantFrom(1, 2),
    wish: fc.record({ do: fc.constant('create' as const), lines }),
  });
const fault: fc.Arbitrary<Fault> = fc.record({
  at: fc.nat(400),
  kind: fc.constantFrom('crash-before', 'crash-after', 'refuse', 'lose', 'slow', 'again', 'drain'),
});

const outage: fc.Arbitrary<Outage> = fc.record({
  fromMs: fc.constantFrom(0, 10, 1_000, 60_000),
  forMs: fc.constantFrom(10, 3_000, 20_000, 50_000),
  of: fc.constantFrom('query', 'query ledger', 'query project', 'mail', 'publish'),
  kind: fc.constantFrom('refuse', 'refuse', 'slow'),
});

export const plans: fc.Arbitrary<Plan> = fc.record({
  asks: fc
    .tuple(creation(0), creation(1), fc.array(ask, { maxLength: 8, size: 'max' }))
    .map(([first, second, rest]) => [first, second, ...rest]),
  faults: fc.array(fault, { maxLength: 12, size: 'max' }),
  outages: fc.array(outage, { maxLength: 2 }),
  choices: fc.array(fc.nat(30), { maxLength: 300, size: 'max' }),
  replicas: fc.constantFrom(1, 2),
});
