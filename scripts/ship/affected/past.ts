/** A commit → its files in a folder of their own, with today's node_modules; and the bundles that its own build makes there. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, realpath, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from '../../cli/cli.ts';
import { repository } from '../../registry/repository.ts';
import { digestOf } from '../bundle/contents.ts';

const run = promisify(execFile);
const git = async (...args: string[]): Promise<string> => (await run('git', args, { cwd: repository })).stdout.trim();
const asks = (...args: string[]): Promise<string | undefined> => git(...args).catch(() => undefined);

/** The commit that `ref` names; throws what to do when it is not to be had. */
export async function findCommit(ref: string): Promise<string> {
  if ((await asks('rev-parse', '--is-inside-work-tree')) !== 'true')
    throw new Error(`${repository} is no git checkout: what changed since '${ref}' cannot be known`);
  const commit = await asks('rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`);
  if (commit) return commit;
  const shallow = (await asks('rev-parse', '--is-shallow-repository')) === 'true';
  const advice = shallow
    ? 'and this clone is shallow: git fetch --unshallow, or fetch-depth: 0 for actions/checkout'
    : 'give a branch, a tag or a commit that this clone has';
  throw new UsageError(`there is no commit '${ref}', ${advice}`);
}

/** Gives `use` a folder with the files of a commit, and removes it. */
export async function withFilesOf<Result>(commit: string, use: (folder: string) => Promise<Result>): Promise<Result> {
  const work = await mkdtemp(path.join(os.tmpdir(), 'millrace-affected-'));
  try {
    const archive = path.join(work, 'files.tar');
    await git('archive', '--format=tar', '--prefix=then/', '-o', archive, commit);
    await run('tar', ['-xf', archive, '-C', work]);
    const folder = path.join(work, 'then');
    await symlink(await realpath(path.join(repository, 'node_modules')), path.join(folder, 'node_modules'));
    return await use(folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Function → digest of its bundle, as the build of that commit makes it; throws when it does not build with today's packages. */
export async function digestsIn(folder: string): Promise<ReadonlyMap<string, string>> {
  await run(process.execPath, ['scripts/build.ts'], { cwd: folder });
  const dist = path.join(folder, 'dist');
  const names = (await readdir(dist)).filter((name) => existsSync(path.join(dist, name, 'index.cjs')));
  const digests = names.map(
    async (name) => [name, digestOf(await readFile(path.join(dist, name, 'index.cjs')))] as const,
  );
  return new Map(await Promise.all(digests));
}
