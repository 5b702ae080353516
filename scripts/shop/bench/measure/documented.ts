/** The set-up that the documentations tell: the framework's command line, the automatic instrumentations, packages as installed. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { repository } from '../../../registry/repository.ts';
import type { Start } from './spent.ts';

/** All that create-order has, as they are installed. */
const PACKAGES = ['nats', 'pg', 'zod/mini', 'cockatiel', '@grpc/grpc-js', '@opentelemetry/*'] as const;

/** The function as it is, without its own server and tracer; its packages are required from node_modules. */
const handlerOf = (context: string, name: string): string => `
  import definition from './functions/${context}/${name}/function.ts';
  import { readSettings } from './functions/runtime/process/settings.ts';
  import { openLog } from './functions/runtime/log.ts';
  const settings = readSettings(definition.settings);
  export const running = definition.start({
    name: '${name}', settings, log: openLog('${name}', settings.LOG_LEVEL), onClose: () => undefined });`;

const indexOf = (name: string): string => `
const functions = require('@google-cloud/functions-framework');
const { running } = require('./handler.cjs');
let started;
running.then((one) => { started = one; });
functions.http('${name}', (request, response) => {
  const ready = started !== undefined && started.notReady() === undefined;
  response.status(ready ? 200 : 503).send(ready ? 'ready' : 'starting');
});
`;

/** Writes the function into a folder as a package of its own; gives how it is started. */
export async function documentedStart(folder: string, context: string, name: string): Promise<Start> {
  const modules = path.join(folder, 'node_modules');
  await mkdir(folder, { recursive: true });
  await symlink(path.join(repository, 'node_modules'), modules);
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ name, main: 'index.cjs' }));
  await writeFile(path.join(folder, 'index.cjs'), indexOf(name));
  await build({
    stdin: { contents: handlerOf(context, name), resolveDir: repository, loader: 'ts' },
    outfile: path.join(folder, 'handler.cjs'),
    bundle: true,
    external: [...PACKAGES],
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
  });
  const cli = path.join(modules, '@google-cloud/functions-framework/build/src/main.js');
  return {
    folder,
    command: ['--require', '@opentelemetry/auto-instrumentations-node/register', cli, `--target=${name}`],
    // As its README has them; detectors of clouds would ask over the network.
    environment: {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_SERVICE_NAME: name,
      OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os',
      OTEL_BSP_SCHEDULE_DELAY: '1000',
    },
  };
}
