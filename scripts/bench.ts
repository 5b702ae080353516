/** `npm run bench [-- <part>...]`: what is measured, in ratios to a baseline of the same run. */
import { benchCalls } from './bench/calls.ts';
import { benchTracing } from './bench/tracing.ts';

const PARTS: Readonly<Record<string, () => Promise<void>>> = { calls: benchCalls, tracing: benchTracing };

const wanted = process.argv.slice(2);
const unknown = wanted.find((part) => !Object.hasOwn(PARTS, part));
if (unknown !== undefined) {
  console.error(`bench: there is no part '${unknown}'; there are ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
for (const [part, run] of Object.entries(PARTS)) if (wanted.length === 0 || wanted.includes(part)) await run();
