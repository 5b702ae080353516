/** `millrace deploy` against a kubectl that plays a cluster. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repository } from '../../scripts/registry/repository.ts';
import { until } from '../support/until.ts';

const IMAGE = `registry.example/millrace/any@sha256:${'a'.repeat(64)}`;
let scene: string;

const knativeService = (revision: string, ready: string, generation: number, image: string) => ({
  metadata: { generation },
  spec: { template: { spec: { containers: [{ image }] } } },
  status: {
    observedGeneration: generation,
    latestCreatedRevisionName: revision,
    latestReadyRevisionName: ready,
    conditions: [{ type: 'Ready', status: revision === ready ? 'True' : 'Unknown' }],
  },
});
const failing = { type: 'Ready', status: 'False', message: 'Unable to fetch image' };
const put = (file: string, value: unknown): void =>
  writeFileSync(path.join(scene, file), typeof value === 'string' ? value : JSON.stringify(value));

const pod =
  'template: { spec: { containers: [{ name: function, image: millrace/any, env: [{ name: A, value: b }] }] } }';
const of = (name: string): string => `metadata: { name: ${name}, labels: { app.kubernetes.io/name: ${name} } }`;
const RENDERED = [
  `apiVersion: v1\nkind: Namespace\nmetadata: { name: millrace }`,
  `apiVersion: apps/v1\nkind: Deployment\n${of('create-order')}\nspec: { ${pod} }`,
  `apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\n${of('create-order')}`,
  `apiVersion: apps/v1\nkind: Deployment\n${of('user-service')}\nspec: { ${pod} }`,
  `apiVersion: v1\nkind: Service\n${of('user-service')}`,
  `apiVersion: serving.knative.dev/v1\nkind: Service\n${of('commands-api')}\nspec: { ${pod} }`,
].join('\n---\n');

beforeEach(() => {
  scene = mkdtempSync(path.join(os.tmpdir(), 'millrace-deploy-'));
  mkdirSync(path.join(scene, 'bin'));
  cpSync(path.join(repository, 'test/support/kubectl.sh'), path.join(scene, 'bin/kubectl'));
  put('rendered.yaml', RENDERED);
  put('before.json', knativeService('c-1', 'c-1', 1, 'old'));
  put('waiting.json', knativeService('c-2', 'c-1', 2, 'new'));
  put('ready.json', knativeService('c-2', 'c-2', 2, 'new'));
  const broken = knativeService('c-2', 'c-1', 2, 'new');
  put('broken.json', { ...broken, status: { ...broken.status, conditions: [failing] } });
});
afterEach(() => rmSync(scene, { recursive: true }));

const calls = (): string[] =>
  existsSync(path.join(scene, 'calls'))
    ? readFileSync(path.join(scene, 'calls'), 'utf8').trim().replaceAll('--namespace millrace ', '').split('\n')
    : [];

function start(play: string, ...args: string[]) {
  const env = { ...process.env, PATH: `${path.join(scene, 'bin')}:${process.env.PATH}`, SCENE: scene, PLAY: play };
  const child = spawn(process.execPath, [path.join(repository, 'scripts/millrace.ts'), 'deploy', ...args], { env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const ended = new Promise<{ code: number | null; said: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, said })),
  );
  return { child, ended };
}
const deploy = (play: string, name: string, ...more: string[]) => start(play, name, '--image', IMAGE, ...more).ended;

const UNDO = 'rollout undo deployment/create-order --to-revision=7';
const WAKE = 'annotate scaledobject create-order autoscaling.keda.sh/force-activation=true --overwrite';
const SLEEP = 'annotate scaledobject create-order autoscaling.keda.sh/force-activation-';

test('an event function is applied alone with its image, woken, seen to run, and let go to sleep', async () => {
  expect(await deploy('well', 'create-order')).toMatchObject({
    code: 0,
    said: expect.stringContaining('create-order: runs'),
  });
  expect(calls().slice(1)).toEqual([
    expect.stringContaining('get deployment/create-order --ignore-not-found'),
    'apply -f -',
    WAKE,
    'get deployment/create-order -o jsonpath={.spec.replicas}',
    'get deployment/create-order -o jsonpath={.spec.replicas}',
    'rollout status deployment/create-order --timeout=180s',
    SLEEP,
  ]);
  const { items } = JSON.parse(readFileSync(path.join(scene, 'applied.json'), 'utf8'));
  expect(items.map(({ kind }: { kind: string }) => kind)).toEqual(['Deployment', 'ScaledObject']);
  expect(items[0].spec.template.spec.containers).toEqual([
    { name: 'function', image: IMAGE, env: [{ name: 'A', value: 'b' }] },
  ]);
});

test('what does not come up is put back to the revision that ran, and the function may sleep again', async () => {
  const { code, said } = await deploy('broken', 'create-order');
  expect(code).toBe(1);
  expect(said).toContain(
    'create-order was not deployed: kubectl rollout status deployment/create-order failed: exceeded',
  );
  expect(calls().slice(-3)).toEqual([UNDO, expect.stringContaining('rollout status'), SLEEP]);
});

test('a function that is not woken in time is put back: nothing was seen of its image', async () => {
  const { code, said } = await deploy('asleep', 'create-order', '--wait', '1s');
  expect(said).toContain('create-order to be woken: not within 1 s');
  expect(calls()).toContain(UNDO);
  expect(calls().at(-1)).toBe(SLEEP);
  expect(code).toBe(1);
});

test('objects that the server refuses leave nothing awake', async () => {
  const { code, said } = await deploy('refused', 'create-order');
  expect(said).toContain('the server says no');
  expect(calls()).toContain(UNDO);
  expect(calls().at(-1)).toBe(SLEEP);
  expect(code).toBe(1);
});

test('the first one of a function has nothing to go back to, and that is said', async () => {
  const { said } = await deploy('first', 'create-order');
  expect(said).toContain('nor could it be put back: it is the first one');
  expect(calls().at(-1)).toBe(SLEEP);
});

test('told to end in the middle, it puts back what ran first', async () => {
  const { child, ended } = start('hangs', 'create-order', '--image', IMAGE);
  await until('the rollout to be watched', () => calls().some((call) => call.startsWith('rollout status')));
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 1, said: expect.stringContaining('was not deployed') });
  expect(calls()).toContain(UNDO);
  expect(calls().at(-1)).toBe(SLEEP);
});

test('an HTTP function is deployed when its new revision is ready', async () => {
  expect(await deploy('well', 'commands-api')).toMatchObject({ code: 0 });
  const gets = calls().filter((call) => call.startsWith('get services.serving.knative.dev commands-api'));
  expect(gets.length).toBe(3);
  expect(calls().join()).not.toContain('annotate');
});

test('an HTTP function whose revision does not become ready gets back the template that it had', async () => {
  const { code, said } = await deploy('broken', 'commands-api');
  expect(code).toBe(1);
  expect(said).toContain('commands-api is not ready: Unable to fetch image');
  expect(calls().at(-1)).toContain('patch services.serving.knative.dev commands-api --type=json');
  expect(calls().at(-1)).toContain('"image":"old"');
});

test('a service that is always on is rolled out, and put back when that fails', async () => {
  expect(await deploy('well', 'user-service')).toMatchObject({ code: 0 });
  expect(calls().at(-1)).toBe('rollout status deployment/user-service --timeout=180s');
  expect((await deploy('broken', 'user-service')).code).toBe(1);
  expect(calls()).toContain('rollout undo deployment/user-service --to-revision=7');
  expect(calls().join()).not.toContain('annotate');
});

test.each([
  [['create-order', '--image', 'millrace/create-order:latest'], '--image takes an image by its digest', 2],
  [['--image', IMAGE], 'which function?', 2],
  [['create-order', '--image', IMAGE, '--overlay', '../x'], '--overlay takes a folder of knative/overlays', 2],
  [['create-order', '--image', IMAGE, '--wait', 'long'], '--wait must be a duration', 2],
  [['greate-order', '--image', IMAGE], 'nothing that runs and is labelled app.kubernetes.io/name=greate-order', 1],
])('deploy %j says what is wrong, and changes nothing', async (args, says, status) => {
  expect(await start('well', ...args).ended).toMatchObject({ code: status, said: expect.stringContaining(says) });
  expect(calls().filter((call) => !call.startsWith('kustomize'))).toEqual([]);
});
