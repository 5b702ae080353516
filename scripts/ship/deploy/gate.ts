/** `millrace gate <function>`: what must hold before it is deployed: manifests, its tests, the past still readable, consumers that can be as declared. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../../functions/runtime/errors.ts';
import { type Environment, type NatsPlace, natsPlace, readOptions, UsageError } from '../../cli/cli.ts';
import type { ConsumerSpec } from '../../manifests/jetstream-yaml.ts';
import type { Api } from '../../manifests/nack.ts';
import { declaredConsumers } from '../../manifests/rules.ts';
import { connect } from '../../operate/dead-letters/command.ts';
import { type FunctionSource, listFunctions } from '../../registry/functions.ts';
import { repository } from '../../registry/repository.ts';
import { runTool } from '../tool.ts';
import { consumerChanges } from './consumer-changes.ts';
import { testsOf } from './function-tests.ts';

type Finding = { readonly consumer: string; readonly says: string; readonly possible: boolean };

const NOT_THERE: Readonly<Record<string, Omit<Finding, 'consumer'>>> = {
  'jetstream-10014': { says: 'is not there yet; it will be made', possible: true },
  'jetstream-10059': { says: 'has no stream; make the streams of infra/nats first', possible: false },
};
const HISTORY = ['test/repo/corpus.test.ts', 'test/repo/schemas.test.ts'];

/** What deploying would do to each consumer on the server. */
export async function compareConsumers(api: Api, consumers: readonly ConsumerSpec[]): Promise<Finding[]> {
  const found = consumers.map(async (spec): Promise<Finding[]> => {
    const consumer = spec.durableName;
    try {
      const { config } = await api<{ config: Record<string, unknown> }>(`CONSUMER.INFO.${spec.streamName}.${consumer}`);
      return consumerChanges(spec, config).map(({ field, from, to, possible }) => ({
        consumer,
        says: `${field} ${possible ? 'becomes' : 'cannot become'} ${to}, and is ${from}`,
        possible,
      }));
    } catch (error) {
      const missing = error instanceof AppError ? NOT_THERE[error.slug] : undefined;
      if (missing) return [{ consumer, ...missing }];
      throw error;
    }
  });
  return (await Promise.all(found)).flat();
}

async function checkServer(place: NatsPlace, consumers: readonly ConsumerSpec[]): Promise<void> {
  const closers: (() => Promise<void> | void)[] = [];
  try {
    const bus = await connect(place, (close) => closers.push(close));
    const findings = await compareConsumers(bus.api, consumers);
    for (const { consumer, says } of findings) console.log(`gate: consumer ${consumer}: ${says}`);
    if (findings.every(({ possible }) => possible)) return;
    throw new Error('the server would refuse it: take the change back, or make a consumer with another name');
  } finally {
    for (const close of closers) await close();
  }
}

/** The tests of a function, as they lie in the repository. */
export async function findTests(fn: Pick<FunctionSource, 'name' | 'context'>): Promise<string[]> {
  const roots = [`functions/${fn.context}`, 'test/integration', 'test/e2e'];
  const tests = roots.map(async (root) => {
    const files = await readdir(path.join(repository, root), { recursive: true });
    const paths = files.filter((file) => file.endsWith('.test.ts')).map((file) => path.join(root, file));
    return Promise.all(paths.map(async (file) => [file, await readFile(path.join(repository, file), 'utf8')] as const));
  });
  return testsOf(fn, Object.fromEntries((await Promise.all(tests)).flat()));
}

export async function gateCommand(args: readonly string[], environment: Environment = process.env): Promise<void> {
  const { values, positionals } = readOptions(args, { nats: { type: 'string' } });
  const [name, ...more] = positionals;
  if (!name) throw new UsageError('the function to be deployed is missing');
  if (more.length > 0) throw new UsageError(`one function at a time, not also ${more.join(' ')}`);
  const functions = await listFunctions();
  const fn = functions.find((one) => one.name === name);
  if (!fn) throw new UsageError(`there is no function '${name}'`);
  const tests = await findTests(fn);
  const consumers = declaredConsumers(name);
  const place = consumers.length > 0 ? natsPlace(values.nats, environment) : undefined;
  console.log(`gate: the manifests of ${name} are whole`);
  if (place) await checkServer(place, consumers);
  const code = await runTool('node_modules/vitest/vitest.mjs', ['run', ...tests, ...HISTORY]);
  if (code !== 0) throw new Error(`a test of ${name}, or of events of the past, failed: see above`);
  console.log(`gate: ${name} may be deployed`);
}
