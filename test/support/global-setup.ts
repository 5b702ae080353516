/** Once a test run: a Postgres with a migrated template database, where the servers are, and all bundles. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../scripts/platform/servers/postgres/migrate.ts';
import { openLogins } from '../../scripts/platform/servers/postgres/postgres-logins.ts';
import { type Bundle, buildFunctions } from '../../scripts/ship/build.ts';
import { chooseBackends, type Where } from './engine.ts';
import { serversOf } from './servers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
    /** By function: each with the rights that it has in production. */
    postgresLogins: Readonly<Record<string, string>>;
    backends: Where;
    /** What is built, without what function.ts declares: that cannot be sent to a worker. */
    bundles: readonly Omit<Bundle, 'settings'>[];
  }
}

export const TEMPLATE = 'millrace_template';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-tests-'));
  const { where, why } = await chooseBackends(process.env);
  console.log(`nats-server and Postgres of the tests: ${where === 'local' ? 'programs' : 'containers'}, ${why}`);
  const servers = await serversOf(where);
  await servers.prepare();
  const [postgres, bundles] = await Promise.all([servers.startPostgres(), buildFunctions()]);
  const admin = new pg.Client(postgres.url);
  await admin.connect();
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  await migrate(postgres.url.replace(/\/postgres$/, `/${TEMPLATE}`));
  project.provide('postgresUrl', postgres.url);
  project.provide('postgresLogins', await openLogins(postgres.url, bundles, folder));
  project.provide('backends', where);
  project.provide(
    'bundles',
    bundles.map(({ settings: _, ...built }) => built),
  );
  return async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
