/** `npm run bench [-- <part>...]`: what is measured, in ratios to a baseline of the same run; 1 when a part failed. */
import path from 'node:path';
import { UsageError } from './cli/cli.ts';
import { repository } from './registry/repository.ts';
import { describeMachine } from './shop/bench/machine.ts';
import type { Part } from './shop/bench/part.ts';
import { calls } from './shop/bench/parts/calls.ts';
import { coldStarts } from './shop/bench/parts/cold-start.ts';
import { elasticity } from './shop/bench/parts/elasticity.ts';
import { growth } from './shop/bench/parts/growth.ts';
import { independence } from './shop/bench/parts/independence.ts';
import { memory } from './shop/bench/parts/memory.ts';
import { projector } from './shop/bench/parts/projector.ts';
import { reads } from './shop/bench/parts/reads.ts';
import { throughput } from './shop/bench/parts/throughput.ts';
import { tracing } from './shop/bench/parts/tracing.ts';
import { warmLatency } from './shop/bench/parts/warm-latency.ts';
import { bench, usage } from './shop/bench/run.ts';

/** In the order in which they run. */
const PARTS: readonly Part[] = [
  coldStarts,
  memory,
  warmLatency,
  throughput,
  projector,
  reads,
  growth,
  elasticity,
  independence,
  calls,
  tracing,
];

// Its servers end with the process, but only when it exits by itself.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

const folder = path.join(repository, '.local/bench');
try {
  const say = (line: string): void => console.log(line);
  process.exitCode = await bench(PARTS, process.argv.slice(2), { folder, machine: describeMachine, say });
} catch (error) {
  console.error(error instanceof UsageError ? `bench: ${error.message}\n\n${usage(PARTS)}` : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
