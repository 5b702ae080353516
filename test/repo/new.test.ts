import { execFile, spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repository } from '../../scripts/registry/repository.ts';

const run = promisify(execFile);
const LEFT_OUT = ['node_modules', 'dist', '.git', '.local', '.vitest'];
const WANTED = [
  ['command', 'orders', 'archive-order'],
  ['projector', 'orders', 'order-archive', '--on', 'order.created,order.refunded'],
  ['policy', 'users', 'user-greeting'],
  ['notifier', 'notifications', 'order-news', '--on', 'order.paid,order.shipped'],
  ['http', 'api', 'pages-api'],
  ['projector', 'notifications', 'mail-index'],
] as const;
const CHECKED = ['manifests', 'kubernetes', 'readme', 'imports', 'openapi', 'compose', 'infra-postgres'].map(
  (name) => `test/repo/${name}.test.ts`,
);

let copy: string;
/** What changed in the copy: its lists, and what is new. */
let changed: { lists: string[]; created: string[] };

type Files = ReadonlyMap<string, string>;

function readAll(): Files {
  const names = globSync('**/*', { cwd: copy, withFileTypes: true, exclude: (file) => file.name === 'node_modules' });
  const files = names.filter((file) => file.isFile()).map((file) => path.join(file.parentPath, file.name));
  return new Map(files.map((file) => [path.relative(copy, file), readFileSync(file, 'utf8')]));
}

/** As `npm run new` runs it. */
function create(args: readonly string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/new.ts', ...args], {
    cwd: copy,
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

const tool = (script: string, ...args: string[]) =>
  run(process.execPath, [path.join('node_modules', script), ...args], { cwd: copy, maxBuffer: 64 * 1_048_576 });

beforeAll(() => {
  copy = mkdtempSync(path.join(os.tmpdir(), 'millrace-new-'));
  const isLeftOut = (file: string): boolean => LEFT_OUT.includes(path.relative(repository, file));
  cpSync(repository, copy, { recursive: true, filter: (file) => !isLeftOut(file) });
  symlinkSync(path.join(repository, 'node_modules'), path.join(copy, 'node_modules'));
  const before = readAll();
  for (const args of WANTED) expect(create(args), args.join(' ')).toMatchObject({ status: 0 });
  const after = [...readAll()];
  changed = {
    lists: after.flatMap(([file, text]) => (before.has(file) && before.get(file) !== text ? [file] : [])),
    created: after.flatMap(([file]) => (before.has(file) ? [] : [file])),
  };
}, 240_000);

afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('a new function of each kind', () => {
  test('has its folders, and nothing changed but the lists that it is in', () => {
    const folders = WANTED.flatMap(([, context, name]) => [
      `functions/${context}/${name}`,
      `knative/functions/${name}`,
    ]);
    const others = changed.created.filter((file) => !folders.includes(path.dirname(file)));
    expect(others.map((file) => file.replace(/\d{4}/, '')).sort()).toEqual([
      'infra/postgres/migrations/_mail_index.sql',
      'infra/postgres/migrations/_order_archive.sql',
      'infra/postgres/migrations/_pages_api.sql',
    ]);
    expect(new Set(changed.created.map((file) => path.dirname(file)))).toEqual(
      new Set([...folders, 'infra/postgres/migrations']),
    );
    expect(changed.lists.sort()).toEqual([
      'functions/README.md',
      'functions/notifications/client.ts',
      'functions/orders/commands.ts',
      'functions/users/user-service/caller.ts',
      'infra/compose.yaml',
      'infra/nats/accounts.conf',
      'infra/postgres/README.md',
      'infra/postgres/kustomization.yaml',
      'infra/production/logins.sh',
      'infra/production/postgres.yaml',
      'knative/functions/kustomization.yaml',
      'knative/overlays/local-cluster/kustomization.yaml',
      'knative/overlays/production/kustomization.yaml',
    ]);
  });

  test('passes types, lint and the search for unused code', { timeout: 240_000 }, async () => {
    const sources = [...changed.created, ...changed.lists].filter((file) => file.endsWith('.ts'));
    await Promise.all([
      tool('typescript/bin/tsc', '-p', '.'),
      tool('@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', ...sources),
      tool('knip/bin/knip.js'),
    ]);
  });

  test('passes the tests of the repository; its own fails, and says what to write', { timeout: 240_000 }, async () => {
    const own = WANTED.map(([, context, name]) => `functions/${context}/${name}/*.test.ts`);
    writeFileSync(
      path.join(copy, 'vitest.copy.config.ts'),
      `export default { test: { include: ${JSON.stringify([...CHECKED, ...own])}, testTimeout: 60_000, maxWorkers: 2 } };`,
    );
    const report = path.join(copy, 'report.json');
    const options = ['--config', 'vitest.copy.config.ts', '--reporter', 'json', '--outputFile', report];
    await tool('vitest/vitest.mjs', 'run', ...options).catch(() => undefined);
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const results = testResults.flatMap(({ assertionResults }) => assertionResults);
    const failed = results.filter(({ status }) => status !== 'passed');
    expect(testResults.map(({ message }) => message).filter(Boolean)).toEqual([]);
    expect(results.length).toBeGreaterThan(40);
    expect(
      failed.map(({ title, failureMessages }) => `${title}: ${failureMessages[0]?.split('\n')[0]}`).sort(),
    ).toEqual([
      expect.stringMatching(/^archive-order .*write decide\.ts/),
      expect.stringMatching(/^mail-index .*write row\.ts/),
      expect.stringMatching(/^order-archive .*write row\.ts/),
      expect.stringMatching(/^order-news .*write template\.ts/),
      expect.stringMatching(/^pages-api .*write routes\.ts/),
      expect.stringMatching(/^user-greeting .*write react\.ts/),
    ]);
  });
});

type Report = {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { title: string; status: string; failureMessages: string[] }[];
  }[];
};

test.each([
  [[], 'which kind? It is one of command, projector'],
  [['projector', 'orders', 'order-view'], 'there is a function order-view already'],
  [['projector', 'orders', 'order-events'], 'the table order_events is there already'],
  [['command', 'orders', 'archive'], 'command.order.archive is there already'],
  [['command', 'users', 'ban-order'], 'sees more of orders than it shows'],
  [['notifier', 'orders', 'order-mails'], 'a notifier can be in notifications'],
  [['http', 'api', 'orders-command'], 'the role of Postgres for orders-command is there already'],
  [['http', 'orders', 'orders-api'], 'imports upwards: api/authenticate.ts'],
])('new %j is refused, says what to do and writes nothing', (args, says) => {
  const before = readAll();
  const { status, said } = create(args);
  expect(said).toContain(says);
  expect(said).toContain('usage: npm run new');
  expect(status).toBe(2);
  expect(readAll()).toEqual(before);
});
