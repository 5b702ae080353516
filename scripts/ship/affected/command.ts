/** `millrace affected --since <ref>`: the functions that are to be deployed again, and why; with --json as a matrix of GitHub. */
import path from 'node:path';
import { readOptions, UsageError } from '../../cli/cli.ts';
import { repository } from '../../registry/repository.ts';
import { buildFunctions } from '../build.ts';
import { foldersOf, packagesDiffer, placesDiffer } from './compare.ts';
import { digestsIn, findCommit, withFilesOf } from './past.ts';

/** `bundle`: its code; `dependencies`: packages in it, or esbuild; `manifests`: what it runs as; `image`: what it runs in. */
type Why = 'bundle' | 'dependencies' | 'manifests' | 'image';
type Affected = { readonly function: string; readonly why: readonly Why[] };

const IMAGE = ['Dockerfile', '.dockerignore', 'scripts/shop/warm-up/warm-up.cjs'];
const OVERLAY = 'knative/overlays/production';
const BUILDER = 'node_modules/esbuild';
/** Of all that a function may consist of: as `kubectl delete` names it, `all` has only some of it. */
export const KINDS = [
  'scaledobjects.keda.sh',
  'triggerauthentications.keda.sh',
  'consumers.jetstream.nats.io',
  'services.serving.knative.dev',
  'deployments.apps',
  'horizontalpodautoscalers.autoscaling',
  'services',
  'poddisruptionbudgets.policy',
  'networkpolicies.networking.k8s.io',
  'serviceaccounts',
  'configmaps',
];

function readArguments(args: readonly string[]): { since: string; json: boolean } {
  const { values, positionals } = readOptions(args, { since: { type: 'string' }, json: { type: 'boolean' } });
  if (positionals.length > 0) throw new UsageError(`affected takes no '${positionals[0]}'`);
  if (!values.since)
    throw new UsageError('since when? --since takes a branch, a tag or a commit, such as --since origin/main');
  return { since: values.since, json: values.json ?? false };
}

/** `then` is the folder with the files of the past. */
async function findAffected(then: string): Promise<{ affected: Affected[]; gone: string[] }> {
  const [bundles, before] = await Promise.all([
    buildFunctions(),
    digestsIn(then).catch((error) => {
      const why = error instanceof Error ? error.message : String(error);
      console.error(
        `what was there then does not build with today's packages, so every bundle counts as changed: ${why}`,
      );
      return new Map<string, string>();
    }),
  ]);
  const lockDiffers = packagesDiffer(then, repository);
  const image = placesDiffer(then, repository, IMAGE);
  const shared = placesDiffer(then, repository, ['knative/platform', ...foldersOf(repository, OVERLAY, false)]);
  const affected = bundles.map(({ name, digest, contents }) => {
    const manifests = foldersOf(repository, path.join('knative/functions', name));
    const changed: Record<Why, boolean> = {
      bundle: before.get(name) !== digest,
      dependencies: lockDiffers([...contents.packages, BUILDER]),
      manifests: shared || placesDiffer(then, repository, manifests),
      image,
    };
    const all: Why[] = ['bundle', 'dependencies', 'manifests', 'image'];
    return { function: name, why: all.filter((one) => changed[one]) };
  });
  return {
    affected: affected.filter(({ why }) => why.length > 0),
    gone: [...before.keys()].filter((name) => !bundles.some((bundle) => bundle.name === name)),
  };
}

export async function affectedCommand(args: readonly string[]): Promise<void> {
  const { since, json } = readArguments(args);
  const { affected, gone } = await withFilesOf(await findCommit(since), findAffected);
  for (const name of gone)
    console.error(`${name} is gone: kubectl -n millrace delete ${KINDS.join()} -l app.kubernetes.io/name=${name}`);
  if (json) return console.log(JSON.stringify({ include: affected }));
  for (const { function: name, why } of affected) console.log(`${name.padEnd(18)} ${why.join(', ')}`);
  if (affected.length === 0) console.log(`nothing is to be deployed since ${since}`);
}
