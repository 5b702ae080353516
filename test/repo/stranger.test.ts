import { type ExecFileException, execFile, spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repository } from '../../scripts/registry/repository.ts';

const run = promisify(execFile);
const LEFT_OUT = ['node_modules', 'dist', '.git', '.local', '.vitest'];
/** A context and one function of each kind in it, and one in a context that was there before. */
const WANTED = [
  ['context', 'inventory'],
  ['command', 'inventory', 'reserve-stock'],
  ['policy', 'inventory', 'order-reservations', '--on', 'order.created'],
  ['projector', 'inventory', 'stock-levels'],
  ['totals', 'inventory', 'pieces-reserved'],
  ['notifier', 'inventory', 'stock-sms'],
  ['http', 'inventory', 'stock-api'],
  ['command', 'orders', 'archive-order'],
] as const;
const NAMES = WANTED.flatMap(([, , name]) => name ?? []);
/** Of the whole repository, what says that its lists and declarations agree. */
const CHECKED = [
  'compose',
  'corpus',
  'imports',
  'infra-postgres',
  'kubernetes',
  'manifests',
  'names',
  'nats-users',
  'openapi',
  'readme',
  'schemas',
].map((name) => `test/repo/${name}.test.ts`);
/** What a stranger writes by hand, and nothing else. */
const OWN = /^(functions\/inventory\/|knative\/functions\/[\w-]+\/|infra\/postgres\/migrations\/\d+_\w+\.sql$)/;

let copy: string;
const git = async (...args: string[]): Promise<string> =>
  (await run('git', ['-c', 'user.name=stranger', '-c', 'user.email=stranger@example.com', ...args], { cwd: copy }))
    .stdout;

/** As `npm run new` runs it. */
function create(args: readonly string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/new.ts', ...args], {
    cwd: copy,
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

const script = (file: string, ...args: string[]) => run(process.execPath, [file, ...args], { cwd: copy });
const tool = (file: string, ...args: string[]) =>
  run(process.execPath, [path.join('node_modules', file), ...args], { cwd: copy, maxBuffer: 64 * 1_048_576 });
/** Files that are not as they were when the copy was made. */
const changed = async (): Promise<string[]> =>
  (await git('status', '--porcelain', '--untracked-files=all'))
    .split('\n')
    .filter(Boolean)
    .map((line) => line.slice(3));

/** Without the servers that all tests share: these need none of them. */
const TEST =
  "exclude: ['**/node_modules/**', 'test/stranger/**'], testTimeout: 60_000, hookTimeout: 120_000, maxWorkers: 1";
const CONFIG = `export default { test: { ${TEST} } };\n`;

async function testsOf(...files: string[]) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-report-'));
  const [config, report] = [path.join(folder, 'vitest.config.mjs'), path.join(folder, 'report.json')];
  writeFileSync(config, CONFIG);
  const options = ['--root', copy, '--config', config, '--reporter', 'json', '--outputFile', report];
  await tool('vitest/vitest.mjs', 'run', ...options, ...files).catch(
    (error: ExecFileException & { stdout: string }) => error,
  );
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  rmSync(folder, { recursive: true });
  return {
    broken: testResults.map(({ message }) => message).filter(Boolean),
    failed: testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status !== 'passed')
      .map(({ title, failureMessages }) => `${title}: ${failureMessages[0]?.slice(0, 2_000)}`),
    count: testResults.flatMap(({ assertionResults }) => assertionResults).length,
  };
}
type Report = {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { title: string; status: string; failureMessages: string[] }[];
  }[];
};

/** Puts the stranger's own work over what the generator made. */
function writeInventory(): void {
  const fixture = path.join(repository, 'test/stranger');
  for (const folder of ['functions', 'knative'])
    cpSync(path.join(fixture, folder), path.join(copy, folder), { recursive: true });
  cpSync(path.join(fixture, 'shop.test.ts'), path.join(copy, 'test/e2e/inventory.test.ts'));
  const edit = (table: string, change: (sql: string) => string): void => {
    const [file = ''] = globSync(path.join(copy, `infra/postgres/migrations/*_${table}.sql`));
    writeFileSync(file, change(readFileSync(file, 'utf8')));
  };
  edit('stock_levels', (sql) =>
    sql.replace('version integer not null', 'version integer not null,\n  pieces integer not null'),
  );
  edit('pieces_reserved', (sql) => sql.replace(/name +text/, 'sku text').replace(/total bigint/, 'pieces bigint'));
  for (const name of ['stock-api', 'archive-order'])
    for (const folder of globSync(path.join(copy, `{functions/*,knative/functions}/${name}`)))
      rmSync(folder, { recursive: true });
}

beforeAll(async () => {
  copy = mkdtempSync(path.join(os.tmpdir(), 'millrace-stranger-'));
  const isLeftOut = (file: string): boolean => LEFT_OUT.includes(path.relative(repository, file));
  cpSync(repository, copy, { recursive: true, filter: (file) => !isLeftOut(file) });
  symlinkSync(path.join(repository, 'node_modules'), path.join(copy, 'node_modules'));
  await git('init', '--quiet');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'as it was');
  for (const args of WANTED) expect(create(args), args.join(' ')).toMatchObject({ status: 0 });
}, 240_000);

afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('a new context, with a function of each kind', () => {
  test('passes types, lint, the search for unused code, and is in every generated list', {
    timeout: 240_000,
  }, async () => {
    await Promise.all([
      tool('typescript/bin/tsc', '-p', '.'),
      tool('@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '.'),
      tool('knip/bin/knip.js'),
      script('scripts/generate.ts', '--check'),
    ]);
    const roles = readFileSync(path.join(copy, 'infra/postgres/roles.sql'), 'utf8');
    for (const grant of [
      'select, insert on inventory_events to inventory_command',
      'select, insert, update on stock_levels to inventory_projector',
      'select, insert, update on notifications to inventory_notifier',
    ])
      expect(roles).toContain(`grant ${grant};`);
    const accounts = readFileSync(path.join(copy, 'infra/nats/accounts.conf'), 'utf8');
    for (const name of NAMES.filter((one) => one !== 'stock-api')) expect(accounts).toContain(`# ${name}\n`);
    expect(readFileSync(path.join(copy, 'infra/nats/events.yaml'), 'utf8')).toContain('name: INVENTORY');
  });

  test('has tests of its own that fail, and say what to write', { timeout: 240_000 }, async () => {
    const { broken, failed } = await testsOf('functions/inventory', 'functions/orders/archive-order');
    expect(broken).toEqual([]);
    expect(failed.map((one) => one.split('\n')[0]).sort()).toEqual([
      expect.stringMatching(/^archive-order .*write decide\.ts/),
      expect.stringMatching(/^order-reservations .*write react\.ts/),
      expect.stringMatching(/^pieces-reserved .*write adds\.ts/),
      expect.stringMatching(/^reserve-stock .*write decide\.ts/),
      expect.stringMatching(/^stock-api .*write routes\.ts/),
      expect.stringMatching(/^stock-levels .*write row\.ts/),
      expect.stringMatching(/^stock-sms .*write message\.ts/),
    ]);
  });
});

test.each([
  [[], 'which kind? It is one of context, command, projector'],
  [['projector', 'orders', 'order-events'], 'the table order_events is there already'],
  [['command', 'orders', 'archive'], 'command.order.archive is there already'],
  [['context', 'inventory'], 'there is a context inventory already'],
])('new %j is refused, says what to do and writes nothing', async (args, says) => {
  const before = await changed();
  const { status, said } = create(args);
  expect(said).toContain(says);
  expect(said).toContain('usage: npm run new');
  expect(status).toBe(2);
  expect(await changed()).toEqual(before);
});

describe('the context when its core is written', () => {
  beforeAll(async () => {
    writeInventory();
    await git('checkout', '--quiet', 'functions/orders');
    await script('scripts/generate.ts');
    await script('scripts/schemas.ts');
  }, 120_000);

  test('is green with the checks of the whole repository', { timeout: 240_000 }, async () => {
    await Promise.all([
      tool('typescript/bin/tsc', '-p', '.'),
      tool('@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '.'),
      tool('knip/bin/knip.js'),
      script('scripts/generate.ts', '--check'),
    ]);
  });

  test('may do at NATS what it declares, and nothing to orders', () => {
    const accounts = readFileSync(path.join(copy, 'infra/nats/accounts.conf'), 'utf8');
    const userOf = (name: string): string =>
      accounts.split('\n        # ').find((user) => user.startsWith(`${name}\n`)) ?? '';
    expect(userOf('order-reservations')).toContain('"command.inventory.reserve_stock"');
    expect(userOf('reserve-stock')).toContain('"inventory.*.reserved"');
    expect(userOf('outbox-relay')).toContain('"inventory.*.reserved"');
    for (const name of NAMES.filter((one) => userOf(one) !== ''))
      expect(userOf(name)).not.toMatch(/"(order|command\.order)\./);
  });

  test('passes the tests of the repository, and works on real servers', { timeout: 400_000 }, async () => {
    const { broken, failed, count } = await testsOf('test/e2e/inventory.test.ts', 'functions/inventory', ...CHECKED);
    expect([...broken, ...failed]).toEqual([]);
    expect(count).toBeGreaterThan(60);
  });

  test('took no edit by hand outside of its own folders, and is gone with them', { timeout: 120_000 }, async () => {
    rmSync(path.join(copy, 'test/e2e/inventory.test.ts'));
    const byHand = (await changed()).filter((file) => OWN.test(file));
    for (const file of byHand) rmSync(path.join(copy, file), { recursive: true });
    await script('scripts/generate.ts');
    expect(await changed()).toEqual([]);
  });
});
