/** Every check that is not a test: format, lint, types, generated code, unused code. Stops at the first that fails. */
import { runTool } from './ship/tool.ts';

const CHECKS: readonly [what: string, script: string, ...args: string[]][] = [
  ['format and lint', 'node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '.'],
  ['types', 'node_modules/typescript/bin/tsc', '-p', '.'],
  ['types of the console', 'node_modules/typescript/bin/tsc', '-p', 'scripts/platform/console/app'],
  ['generated code', 'scripts/generate.ts', '--check'],
  ['unused code', 'node_modules/knip/bin/knip.js'],
];

for (const [what, script, ...args] of CHECKS) {
  console.log(`check: ${what}`);
  const code = await runTool(script, args);
  if (code === 0) continue;
  console.error(`${what} failed; the rest was not run.`);
  process.exit(code);
}
