/** What a part of the benchmark gives: values beside a baseline of the same run, and plots of them. */
import type { Plot } from '../../operate/scale/svg.ts';
import type { Cleanup } from '../../platform/servers/cleanup.ts';

export type Row = {
  /** What was measured, such as `create-order, CPU from start to the first acknowledgement`. */
  readonly what: string;
  readonly value: number;
  /** Such as `ms`, `MiB` or `orders/s`. */
  readonly unit: string;
  /** In the same unit, from the same run. */
  readonly baseline: { readonly what: string; readonly value: number };
  /** What value ÷ baseline is to be; without it the ratio is told and not judged. */
  readonly reach?: { readonly is: 'at most' | 'at least'; readonly ratio: number; readonly stretch?: number };
};

export type Result = {
  readonly rows: readonly Row[];
  readonly plots?: readonly Plot[];
  /** What a reader must know of the numbers: settings that trade durability, what was left out. */
  readonly notes?: readonly string[];
};

export type Part = {
  /** What it is called by: `npm run bench -- <name>`. */
  readonly name: string;
  /** What it measures, in a sentence. */
  readonly about: string;
  /** What it opens it adds to `cleanup`, which is unwound after it. */
  run(cleanup: Cleanup): Promise<Result>;
};
