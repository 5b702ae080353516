import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PG_MIGRATE_LOCK_ID } from 'node-pg-migrate';
import { beforeAll, describe, expect, test } from 'vitest';
import { readContexts } from '../../scripts/registry/contexts.ts';
import { readDefinitions } from '../../scripts/registry/functions.ts';
import { rolesOf } from '../../scripts/registry/postgres-rights.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { at, kindOf } from '../support/kubernetes-objects.ts';
import type { KubernetesObject } from '../support/kubernetes-schemas.ts';
import { build } from '../support/kustomize.ts';

const infra = path.join(repository, 'infra');
const read = (file: string): string => readFileSync(path.join(infra, file), 'utf8');
const files = readdirSync(path.join(infra, 'postgres/migrations')).sort();
let objects: readonly KubernetesObject[] = [];
beforeAll(async () => {
  objects = await build('infra/production');
}, 120_000);

const migrations = () => kindOf(objects, 'ConfigMap').filter(({ data }) => 'migrate.sh' in (data as object));
const cluster = () => kindOf(objects, 'Cluster')[0];
type Role = {
  readonly name: string;
  readonly login: boolean;
  readonly inRoles?: readonly string[];
  readonly passwordSecret?: { readonly name: string };
};
const roles = () => at<readonly Role[]>(cluster(), 'spec', 'managed', 'roles');
const groups = () => roles().flatMap(({ name, login }) => (login ? [] : [name]));

describe('the Job that migrates', () => {
  test('has every migration that there is, and runs them by the script', () => {
    expect(migrations().map(({ data }) => Object.keys(data as object).sort())).toEqual([
      [...files, 'migrate.sh', 'roles.sql'],
    ]);
    const pod = at(kindOf(objects, 'Job')[0], 'spec', 'template', 'spec');
    expect(at(pod, 'volumes', 0, 'configMap', 'name')).toBe(migrations()[0]?.metadata.name);
    expect(at(pod, 'containers', 0, 'command')).toEqual(['sh', '/migrations/migrate.sh', '/migrations']);
  });

  test('keeps the same table and takes the same lock as npm start', () => {
    const local = readFileSync(path.join(repository, 'scripts/platform/servers/postgres/migrate.ts'), 'utf8');
    const [, table] = /migrationsTable: '(\w+)'/.exec(local) ?? [];
    const script = read('postgres/migrate.sh');
    expect(script.match(/public\.\w+/g)).toEqual(Array(4).fill(`public.${table}`));
    expect(script).toContain(`pg_advisory_lock(${PG_MIGRATE_LOCK_ID})`);
  });
});

describe('the logins of Postgres', () => {
  test('are one a role, with a password in a Secret of their own', () => {
    expect(groups().length).toBeGreaterThan(0);
    expect(roles().filter(({ login }) => login)).toEqual(
      groups().map((name) =>
        expect.objectContaining({
          name: `${name}_login`,
          inRoles: [name],
          passwordSecret: { name: `postgres-${name.replaceAll('_', '-')}` },
        }),
      ),
    );
  });

  test('are for every role that contexts and functions declare', async () => {
    const declared = rolesOf({ contexts: await readContexts(), functions: await readDefinitions() });
    expect(groups()).toEqual(declared.map(({ name }) => name));
  });

  test('get their passwords by the script, which gives each function that needs one its URL', async () => {
    const lines = [...read('production/logins.sh').matchAll(/^login (\w+) \S+ \w+ ([a-z -]+)/gm)];
    expect(lines.map(([, role]) => role)).toEqual(groups());
    const needing = (await readDefinitions()).flatMap(({ name, settings }) =>
      'DATABASE_URL' in settings ? [name] : [],
    );
    const others = (await readContexts()).flatMap(({ roles = {} }) => Object.keys(roles));
    const given = lines.flatMap(([, , functions = '']) => functions.trim().split(' '));
    expect(given.sort()).toEqual([...needing, ...others.map((role) => role.replaceAll('_', '-'))].sort());
  });

  test('meet poolers that are spread and protected by the one label of theirs that the operator leaves alone', () => {
    const own = { matchLabels: { 'cnpg.io/poolerName': kindOf(objects, 'Pooler')[0]?.metadata.name } };
    const [spread] = at<object[]>(
      kindOf(objects, 'Pooler')[0],
      'spec',
      'template',
      'spec',
      'topologySpreadConstraints',
    );
    expect(at(spread, 'labelSelector')).toEqual(own);
    expect(at(kindOf(objects, 'PodDisruptionBudget')[0], 'spec', 'selector')).toEqual(own);
  });

  test('know Postgres by its own CA, which is not the one that signs callers of user-service', async () => {
    const grpc = kindOf(await build('knative/overlays/production'), 'ConfigMap').map((map) => at(map, 'data'));
    const { GRPC_TLS_CA_FILE } = Object.assign({}, ...grpc);
    const [, file = ''] = /sslrootcert=([^'\s]+)/.exec(read('production/logins.sh')) ?? [];
    expect(path.dirname(file)).toBe(path.dirname(GRPC_TLS_CA_FILE));
    expect(file).not.toBe(GRPC_TLS_CA_FILE);
    expect(read('README.md')).toContain(`--from-file=$secrets/${path.basename(file)}`);
  });

  test('have room for all their pools', () => {
    const [pooler] = kindOf(objects, 'Pooler');
    const pools = at<number>(pooler, 'spec', 'instances') * groups().length;
    const size = Number(at(pooler, 'spec', 'pgbouncer', 'parameters', 'default_pool_size'));
    const most = Number(at(cluster(), 'spec', 'postgresql', 'parameters', 'max_connections'));
    expect(pools * size).toBeLessThan(most);
  });
});
