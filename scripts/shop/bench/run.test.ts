import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { UsageError } from '../../cli/cli.ts';
import type { Machine } from './machine.ts';
import type { Part, Result, Row } from './part.ts';
import { bench } from './run.ts';

const machine: Machine = {
  date: '2026-11-21T19:30:00.000Z',
  commit: 'abc1234',
  cores: 2,
  model: 'a machine',
  memoryGib: 8,
  loadBefore: 0,
  node: 'v24.0.0',
  postgres: '18.4',
  nats: '2.15.1',
};
const row = (value: number): Row => ({
  what: 'things done',
  value,
  unit: 'things/s',
  baseline: { what: 'by hand', value: 100 },
  reach: { is: 'at least', ratio: 0.5, stretch: 0.9 },
});
const plot = { name: 'things', title: 'Things', x: { label: 'x' }, y: { label: 'y' }, series: [] };

let folder = '';
let ran: string[] = [];
const said: string[] = [];
const part = (name: string, value: number): Part => ({
  name,
  about: `about ${name}`,
  async run() {
    ran.push(name);
    return { rows: [row(value)], plots: [{ ...plot, name }], notes: ['a note'] };
  },
});
const broken: Part = { name: 'broken', about: 'breaks', run: () => Promise.reject(new Error('it broke')) };
const call = (parts: readonly Part[], ...args: string[]) =>
  bench(parts, args, { folder, machine: async () => machine, say: (line) => said.push(line) });
const written = (name: string): string => readFileSync(path.join(folder, 'latest', name), 'utf8');

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-bench-test-'));
  ran = [];
  said.length = 0;
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test('all parts run, and what they gave is written with the machine that it is from', async () => {
  expect(await call([part('one', 40), part('two', 60)])).toBe(0);
  expect(ran).toEqual(['one', 'two']);
  const { parts, machine: from } = JSON.parse(written('results.json'));
  expect(from).toEqual(machine);
  expect(parts.map(({ name, rows }: { name: string; rows: object[] }) => ({ name, ...rows[0] }))).toMatchObject([
    { name: 'one', ratio: 0.4, reached: false },
    { name: 'two', ratio: 0.6, reached: true },
  ]);
  expect(written('table.md')).toContain('commit abc1234');
  expect(written('table.md')).toContain('![Things](one.svg)');
  expect(written('two.svg')).toContain('<svg');
});

test('only the parts named run, in the order of the list', async () => {
  expect(await call([part('one', 1), part('two', 1), part('three', 1)], 'three', 'one')).toBe(0);
  expect(ran).toEqual(['one', 'three']);
});

test('a part that throws is told, the others go on, and the exit code is 1', async () => {
  vi.spyOn(console, 'error').mockReturnValue();
  expect(await call([broken, part('two', 60)])).toBe(1);
  expect(ran).toEqual(['two']);
  expect(written('table.md')).toContain('broken failed: it broke');
  expect(JSON.parse(written('results.json')).parts[0]).toMatchObject({ name: 'broken', failed: 'it broke' });
});

test('what a part has opened is undone when it has ended, and also when it has thrown', async () => {
  vi.spyOn(console, 'error').mockReturnValue();
  const opening = (name: string, end: () => Promise<Result>): Part => ({
    name,
    about: 'opens',
    run(cleanup) {
      cleanup.add(name, () => void ran.push(`${name} undone`));
      return end();
    },
  });
  await call([
    opening('good', async () => ({ rows: [] })),
    opening('bad', () => Promise.reject(new Error('no'))),
    part('two', 1),
  ]);
  expect(ran).toEqual(['good undone', 'bad undone', 'two']);
});

test('a part that there is not is an error that names those there are, and nothing runs', async () => {
  const calling = call([part('one', 1), part('two', 1)], 'one', 'three');
  await expect(calling).rejects.toThrow(new UsageError("there is no part 'three'; there are one, two"));
  expect(ran).toEqual([]);
});

test('--help lists the parts and what they measure, and nothing runs', async () => {
  expect(await call([part('one', 1)], '--help')).toBe(0);
  expect(said.join('\n')).toMatch(/one +about one/);
  expect(ran).toEqual([]);
});
