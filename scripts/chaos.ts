/** `npm run chaos [-- --minutes N --seed S]`: a shop under load while everything fails; 1 when a promise was broken. */

import { UsageError } from './cli/cli.ts';
import { planFor, planJourneys } from './shop/chaos/plan.ts';
import { report } from './shop/chaos/report.ts';
import { runChaos } from './shop/chaos/run.ts';

const USAGE = `usage: npm run chaos [-- --minutes N] [--seed S]
  --minutes N   minutes of faults, 0.5 to 60 (2); recoveries come on top
  --seed S      a whole number: the same one means the same faults and orders (else a random one)`;
const ORDERS_PER_SECOND = 5;
const SETTLE_MS = 300_000;
const MOST_SEED = 1_000_000;

function readArguments(args: readonly string[]): { readonly minutes: number; readonly seed: number } {
  const given = { '--minutes': 2, '--seed': Math.floor(Math.random() * MOST_SEED) };
  for (let index = 0; index < args.length; index += 2) {
    const name = args[index] as keyof typeof given;
    if (!Object.hasOwn(given, name)) throw new UsageError(`there is no option ${name}`);
    given[name] = Number(args[index + 1] ?? 'nothing');
  }
  const { '--minutes': minutes, '--seed': seed } = given;
  if (!(minutes >= 0.5 && minutes <= 60)) throw new UsageError('--minutes must be a number from 0.5 to 60');
  if (!Number.isSafeInteger(seed) || seed < 0) throw new UsageError('--seed must be a whole number, 0 or more');
  return { minutes, seed };
}

async function main(): Promise<number> {
  const { minutes, seed } = readArguments(process.argv.slice(2));
  const began = Date.now();
  const say = (line: string): void =>
    console.log(`${((Date.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
  say(`seed ${seed}, ${minutes} minutes of faults, ${ORDERS_PER_SECOND} orders a second`);
  const journeys = planJourneys(seed, 2 * minutes * 60_000, ORDERS_PER_SECOND);
  const result = await runChaos({ faults: planFor(seed, minutes * 60_000), journeys, settleMs: SETTLE_MS, say });
  console.log(`\n${report(result)}\n`);
  const { length } = result.violations;
  console.log(length === 0 ? `seed ${seed}: all is well` : `seed ${seed}: ${length} violations`);
  return length === 0 ? 0 : 1;
}

// Its servers end with the process, but only when it exits by itself.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof UsageError ? `chaos: ${error.message}\n\n${USAGE}` : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
