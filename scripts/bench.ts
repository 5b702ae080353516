/** `npm run bench [-- <part>...]`: what is measured, in ratios to a baseline of the same run; 1 when a part failed. */
import path from 'node:path';
import { calls } from './bench/calls.ts';
import { coldStarts } from './bench/cold-start.ts';
import { elasticity } from './bench/elasticity.ts';
import { growth } from './bench/growth.ts';
import { independence } from './bench/independence.ts';
import { describeMachine } from './bench/machine.ts';
import { memory } from './bench/memory.ts';
import type { Part } from './bench/part.ts';
import { projector } from './bench/projector.ts';
import { reads } from './bench/reads.ts';
import { bench, usage } from './bench/run.ts';
import { throughput } from './bench/throughput.ts';
import { tracing } from './bench/tracing.ts';
import { warmLatency } from './bench/warm-latency.ts';
import { UsageError } from './cli.ts';
import { repository } from './local/yaml-file.ts';

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
