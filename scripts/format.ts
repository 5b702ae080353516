/** Formats all files and mends what the linter can mend. */
import { runTool } from './ship/tool.ts';

process.exitCode = await runTool('node_modules/@biomejs/biome/bin/biome', ['check', '--write', '.']);
