/** proto/ as it is, against that of branch main: nothing that is published may change its number, type or name. */
import { spawnSync } from 'node:child_process';
import { repository } from '../registry/repository.ts';
import { runTool } from './tool.ts';

const BUF = 'node_modules/@bufbuild/buf/bin/buf';

/** Throws when a client or a service built from `against` could not go on talking; both are inputs in buf's words. */
export async function checkBreaking(proto: string, against: string): Promise<void> {
  if ((await runTool(BUF, ['breaking', proto, '--against', against])) !== 0)
    throw new Error(`${proto} breaks what was published (${against}); see above. Add instead of changing`);
}

/** What git answers, or undefined when it cannot. */
function git(...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { cwd: repository, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
const commitOf = (revision: string): string | undefined =>
  git('rev-parse', '--verify', '--quiet', `${revision}^{commit}`);

/** main, from wherever it is known; on main itself the commit before, as far as the clone reaches. */
function published(): string | undefined {
  const main = commitOf('main') ?? commitOf('origin/main');
  return (main === commitOf('HEAD') && commitOf('HEAD^')) || main;
}

/** Checks proto/ against main. Where there is no main to compare with, it says so and passes. */
export async function checkPublished(): Promise<void> {
  // An unpacked archive may lie in a repository of something else.
  const repository = git('rev-parse', '--show-prefix') === '' && git('rev-parse', '--git-common-dir');
  const commit = published();
  if (repository && commit) return checkBreaking('proto', `${repository}#ref=${commit},subdir=proto`);
  const why = repository
    ? 'this clone does not have branch main; `git fetch --depth=1 origin main:main` gets it'
    : 'this folder is no git repository';
  console.log(`proto/ is not compared with what is published: ${why}`);
}
