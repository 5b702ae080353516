/** The objects of one function → applied and running, or put back as it was; a function at zero is woken to see that it starts. */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod/mini';
import { validate } from '../../../functions/runtime/schema.ts';
import type { Kubectl } from './kubectl.ts';
import type { FunctionObjects, Scaling } from './objects.ts';

export type RollOut = {
  readonly name: string;
  readonly objects: FunctionObjects;
  /** Ends when the caller is told to end. */
  readonly kubectl: Kubectl;
  /** Goes on all the same: to put things back. */
  readonly putBack: Kubectl;
  /** Seconds for it to wake, and again to be rolled out. */
  readonly seconds: number;
  say(line: string): void;
};
/** `back` restores what ran before; it throws when there is nothing. */
type Way = { settled(): Promise<void>; back(): Promise<unknown> };

const POLL_MS = 1_000;
const KSVC = 'services.serving.knative.dev';
const WAKE = 'autoscaling.keda.sh/force-activation';

const condition = z.object({ type: z.string(), status: z.string(), message: z.optional(z.string()) });
const knativeService = z.object({
  metadata: z.object({ generation: z.number() }),
  spec: z.object({ template: z.unknown() }),
  status: z.optional(
    z.object({
      observedGeneration: z.optional(z.number()),
      latestCreatedRevisionName: z.optional(z.string()),
      latestReadyRevisionName: z.optional(z.string()),
      conditions: z.optional(z.array(condition)),
    }),
  ),
});

async function until(what: string, seconds: number, probe: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + seconds * 1_000;
  while (!(await probe())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await delay(POLL_MS);
  }
}

/** At zero a rollout is complete at once, of a broken image too: so there must be a replica before its state is asked. */
async function deployment({ name, kubectl, putBack, seconds }: RollOut, wakes: boolean): Promise<Way> {
  const target = `deployment/${name}`;
  const path = '{.metadata.annotations.deployment\\.kubernetes\\.io/revision}';
  const before = await kubectl(['get', target, '--ignore-not-found', '-o', `jsonpath=${path}`]);
  return {
    async settled() {
      if (wakes)
        await until(`${name} to be woken`, seconds, async () => {
          return Number(await kubectl(['get', target, '-o', 'jsonpath={.spec.replicas}'])) > 0;
        });
      await kubectl(['rollout', 'status', target, `--timeout=${seconds}s`]);
    },
    async back() {
      if (!before) throw new Error('it is the first one, so nothing ran before it');
      await putBack(['rollout', 'undo', target, `--to-revision=${before}`]);
      await putBack(['rollout', 'status', target, `--timeout=${seconds}s`]);
    },
  };
}

async function knative({ name, kubectl, putBack, seconds }: RollOut): Promise<Way> {
  const get = async (option: string) => kubectl(['get', KSVC, name, option, '-o', 'json']);
  const read = (json: string) => validate(knativeService, JSON.parse(json), `${KSVC} ${name}`);
  const before = await get('--ignore-not-found=true');
  return {
    settled: () =>
      until(`a ready revision of ${name}`, seconds, async () => {
        const { metadata, status = {} } = read(await get('--ignore-not-found=false'));
        if (status.observedGeneration !== metadata.generation) return false;
        const ready = status.conditions?.find(({ type }) => type === 'Ready');
        if (ready?.status === 'False') throw new Error(`${name} is not ready: ${ready.message ?? 'no reason is told'}`);
        return ready?.status === 'True' && status.latestCreatedRevisionName === status.latestReadyRevisionName;
      }),
    async back() {
      if (!before.trim()) throw new Error('it is the first one, so nothing ran before it');
      const patch = [{ op: 'replace', path: '/spec/template', value: read(before).spec.template }];
      await putBack(['patch', KSVC, name, '--type=json', `--patch=${JSON.stringify(patch)}`]);
    },
  };
}

const WAYS: Readonly<Record<Scaling, (deploy: RollOut) => Promise<Way>>> = {
  event: (deploy) => deployment(deploy, true),
  http: knative,
  service: (deploy) => deployment(deploy, false),
};

/** Throws when it does not run, after what ran before is back. Its consumers and scaling rule stay as applied. */
export async function rollOut(deploy: RollOut): Promise<void> {
  const { name, kubectl, putBack, say } = deploy;
  const { scaling, objects } = deploy.objects;
  const wakes = scaling === 'event';
  const way = await WAYS[scaling](deploy);
  try {
    say(`${name}: applies ${objects.map(({ kind }) => kind).join(', ')}`);
    await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    if (wakes) await kubectl(['annotate', 'scaledobject', name, `${WAKE}=true`, '--overwrite']);
    await way.settled();
    say(`${name}: runs`);
  } catch (error) {
    say(`${name}: does not run; what ran before is put back`);
    const failed = await way.back().then(
      () => undefined,
      (problem) => (problem instanceof Error ? problem.message : String(problem)),
    );
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${name} was not deployed: ${why}${failed ? `; nor could it be put back: ${failed}` : ''}`);
  } finally {
    // It would keep the function awake, and no later apply takes it away.
    if (wakes) await putBack(['annotate', 'scaledobject', name, `${WAKE}-`]);
  }
}
