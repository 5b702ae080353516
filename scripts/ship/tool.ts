/** Runs a tool of node_modules under this Node; gives its exit code. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { repository } from '../registry/repository.ts';

export function runTool(script: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [path.join(repository, script), ...args], {
    cwd: repository,
    stdio: 'inherit',
  });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
