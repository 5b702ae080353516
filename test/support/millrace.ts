/** The bin of package.json, as npx runs it, where no shop runs. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { repository } from '../../scripts/registry/repository.ts';

export function millrace(...args: string[]): { status: number | null; said: string } {
  const env = { ...process.env, MILLRACE_DATA: '/nowhere', DATABASE_URL: '', NATS_URL: '' };
  const { status, stdout, stderr } = spawnSync(path.join(repository, 'scripts/millrace.mjs'), args, {
    env,
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}
