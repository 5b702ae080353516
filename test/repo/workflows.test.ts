import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { repository } from '../../scripts/registry/repository.ts';

type Step = { uses?: string; run?: string; with?: Record<string, unknown>; env?: Record<string, string> };
type Job = {
  permissions?: Record<string, string>;
  'timeout-minutes'?: number;
  uses?: string;
  needs?: string[];
  concurrency?: { group: string; 'cancel-in-progress': boolean };
  steps?: Step[];
};
type Workflow = { permissions: Record<string, string>; jobs: Record<string, Job> };

const folder = path.join(repository, '.github/workflows');
const workflows = readdirSync(folder).map((file) => ({
  file,
  workflow: parse(readFileSync(path.join(folder, file), 'utf8')) as Workflow,
  text: readFileSync(path.join(folder, file), 'utf8'),
}));
const { workflow: deploys } = workflows.find(({ file }) => file === 'deploy.yml') ?? {};
const deploy = deploys?.jobs.deploy;
const { scripts } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8'));

describe.each(workflows)('$file', ({ workflow, text }) => {
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps ?? []);

  test('takes actions by commit, with the version in a comment', () => {
    for (const [, action] of text.matchAll(/uses: (?!\.\/)(.*)$/gm))
      expect(action).toMatch(/^[a-z-]+\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('may only read, but for what a job names, and ends in time', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    for (const job of jobs) {
      expect(job.permissions?.contents ?? 'read').toBe('read');
      if (!job.uses) expect(job['timeout-minutes']).toBeLessThanOrEqual(30);
    }
  });

  test('writes no expression into a script, and leaves no token in the checkout', () => {
    for (const { run = '', uses = '', with: inputs } of steps) {
      expect(run).not.toContain('${{');
      if (uses.startsWith('actions/checkout')) expect(inputs).toMatchObject({ 'persist-credentials': false });
    }
  });

  test('runs commands that there are', () => {
    const named = steps.flatMap(({ run = '' }) => [...run.matchAll(/npm run --silent (\S+)/g)].map(([, name]) => name));
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });
});

const expression = (text: string): string => `\${{ ${text} }}`;

test('a function is deployed after everything is verified, by the digest of its image, behind its gates', () => {
  expect(deploy?.needs).toEqual(['verify', 'affected']);
  const lines = deploy?.steps?.map(({ run = '', uses = '' }) => `${uses.split('@')[0]}${run}`) ?? [];
  const at = (text: string): number => lines.findIndex((line) => line.includes(text));
  expect(at('-- gate "$FUNCTION"')).toBeGreaterThan(0);
  expect(at('build-push-action')).toBeGreaterThan(at('-- gate'));
  expect(at('-- deploy "$FUNCTION" --image "$IMAGE"')).toBeGreaterThan(at('build-push-action'));
  const env = deploy?.steps?.find(({ run = '' }) => run.includes('-- deploy'))?.env;
  expect(env?.IMAGE).toBe(`${expression('steps.image.outputs.name')}@${expression('steps.push.outputs.digest')}`);
});

test('the gate knows NATS by a CA of its own, and whoever asks by a seed, from files that its step writes', () => {
  const { run = '', env } = deploy?.steps?.find((step) => step.run?.includes('-- gate')) ?? {};
  for (const [file, secret] of [
    ['NODE_EXTRA_CA_CERTS', 'CA'],
    ['NATS_SEED_FILE', 'SEED'],
  ] as const) {
    expect(env?.[file]).toMatch(/^\$\{\{ runner\.temp \}\}\//);
    expect(run).toContain(`"$${secret}" > "$${file}"`);
    expect(env?.[secret]).toBe(expression(`secrets.NATS_${secret}`));
  }
});

test('two deployments of a function never overlap, and none is cut off; other functions do not wait', () => {
  expect(deploy?.concurrency).toEqual({
    group: `deploy-${expression('matrix.function')}`,
    'cancel-in-progress': false,
  });
});
