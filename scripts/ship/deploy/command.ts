/** `millrace deploy <function> --image <reference>`: one function into the cluster of kubectl, with the values of an overlay. */
import path from 'node:path';
import { readOptions, UsageError } from '../../cli/cli.ts';
import { isGoDuration, nanoseconds } from '../../manifests/go-duration.ts';
import { repository } from '../../registry/repository.ts';
import { openKubectl } from './kubectl.ts';
import { objectsOf } from './objects.ts';
import { rollOut } from './roll-out.ts';

const OPTIONS = { image: { type: 'string' }, overlay: { type: 'string' }, wait: { type: 'string' } } as const;
const NAMESPACE = 'millrace';
const BY_DIGEST = /^[^\s@]+@sha256:[0-9a-f]{64}$/;

function readArguments(args: readonly string[]) {
  const { values, positionals } = readOptions(args, OPTIONS);
  const { image = '', overlay = 'production', wait = '3m' } = values;
  const [name, ...more] = positionals;
  if (!name || more.length > 0) throw new UsageError('which function? deploy takes one');
  if (!BY_DIGEST.test(image))
    throw new UsageError('--image takes an image by its digest, such as registry.example/millrace/<function>@sha256:…');
  if (!/^[a-z0-9-]+$/.test(overlay))
    throw new UsageError(`--overlay takes a folder of knative/overlays, not '${overlay}'`);
  if (!isGoDuration(wait)) throw new UsageError(`--wait must be a duration such as 90s or 3m, not '${wait}'`);
  return { name, image, overlay, seconds: Math.ceil(nanoseconds(wait) / 1e9) };
}

export async function deployCommand(args: readonly string[]): Promise<void> {
  const { name, image, overlay, seconds } = readArguments(args);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => stop.abort(new Error(`told to end by ${signal}`)));
  const kubectl = openKubectl(NAMESPACE, stop.signal);
  const rendered = await kubectl(['kustomize', path.join(repository, 'knative/overlays', overlay)]);
  await rollOut({
    name,
    objects: objectsOf(rendered, name, image),
    kubectl,
    putBack: openKubectl(NAMESPACE),
    seconds,
    say: (line) => console.log(line),
  });
}
