/** Runs the tests with vitest, whose arguments it passes on; the last line is `N passed, N failed`. */
import path from 'node:path';
import { runTool } from './ship/tool.ts';

process.exitCode = await runTool(path.join('node_modules', 'vitest', 'vitest.mjs'), ['run', ...process.argv.slice(2)]);
