/** Once a test run: a Postgres with a migrated template database, the nats-server binary, and all bundles. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { buildFunctions } from '../../scripts/build.ts';
import { migrate } from '../../scripts/local/migrate.ts';
import { obtainNatsServer } from '../../scripts/local/nats-binary.ts';
import { freePort } from '../../scripts/local/ports.ts';
import { startPostgres } from '../../scripts/local/postgres.ts';
import { openLogins } from '../../scripts/local/postgres-logins.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
    /** By function: each with the rights that it has in production. */
    postgresLogins: Readonly<Record<string, string>>;
    natsBinary: string;
  }
}

export const TEMPLATE = 'millrace_template';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-tests-'));
  const [nats, postgres, bundles] = await Promise.all([
    obtainNatsServer((line) => console.log(line)),
    freePort().then((port) => startPostgres({ dataDir: path.join(folder, 'postgres'), port, durable: false })),
    buildFunctions(),
  ]);
  const admin = new pg.Client(postgres.url);
  await admin.connect();
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  await migrate(postgres.url.replace(/\/postgres$/, `/${TEMPLATE}`));
  project.provide('postgresUrl', postgres.url);
  project.provide('postgresLogins', await openLogins(postgres.url, bundles, folder));
  project.provide('natsBinary', nats.path);
  return async () => {
    await postgres.stop();
    await rm(postgres.dataDir, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  };
}
