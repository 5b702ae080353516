import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { simulateCommand } from '../../scripts/operate/scale/simulate/command.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-simulate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What it prints for `order-emails` as `npm start` runs it. */
async function said(...args: string[]): Promise<string> {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  try {
    await simulateCommand(['--function', 'order-emails', '--local', ...args]);
    return log.mock.calls.flat().join('\n');
  } finally {
    log.mockRestore();
  }
}
const written = (name: string, ...lines: string[]): string => {
  const file = path.join(folder, name);
  writeFileSync(file, lines.join('\n'));
  return file;
};

test("today's rule and a proposed one stand side by side, and the same seed says the same", async () => {
  const args = ['--ms', '2000', '--set', 'max=8,maxAckPending=64', '--seed', '5'];
  const text = await said(...args);
  expect(text).toMatch(/^ +today +max=8,maxAckPending=64$/m);
  const [, today, proposed] = /^wait, p95 +([\d.]+) s +([\d.]+) s$/m.exec(text) ?? [];
  expect(Number(proposed)).toBeLessThan(Number(today));
  for (const row of ['wait, p50', 'wait, longest', 'most replicas', 'pod-seconds', 'of always on'])
    expect(text).toContain(`\n${row} `);
  expect(text).toContain('replicas, today');
  expect(await said(...args)).toBe(text);
});

test('both are drawn into one file', async () => {
  const file = path.join(folder, 'both.svg');
  await said('--set', 'max=1', '--out', file);
  const svg = readFileSync(file, 'utf8');
  expect(svg.match(/class="line"/g)).toHaveLength(2);
  expect(svg).toContain('>max=1<');
});

test('a recorded load gives the arrivals and the time of the handler', async () => {
  const file = written(
    'load.jsonl',
    '{"function":"order-emails","recordedAt":"2026-11-20T12:00:00.000Z","everySeconds":1}',
    '{"t":1,"arrived":3,"lag":3,"replicas":0,"ready":0}',
    '{"t":2.5,"arrived":4,"replicas":2}',
    '{"handled":7,"handlerMs":{"p50":250,"p95":500},"waits":{"p50":0.4,"p95":1.5}}',
  );
  const text = await said('--load', file);
  expect(text).toContain('handler 250 ms, 95 of 100 within 500 ms, as recorded\n');
  expect(text).toMatch(/^messages handled +7$/m);
  expect(text.split('\n').at(-1)).toBe('recorded: wait p50 400 ms, p95 1.5 s; most replicas 2');
});

test('without --local it is the rule of production, under Kubernetes', async () => {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  await simulateCommand(['--function', 'order-emails', '--json']).finally(() => log.mockRestore);
  const told = JSON.parse(String(log.mock.calls[0]?.[0]));
  log.mockRestore();
  expect(told.rule).toMatchObject({ pollingInterval: 5, cooldownPeriod: 120, lagThreshold: 16, inFlight: 8 });
  expect(told.cluster.profile).toBe('kubernetes');
});

describe('What is wrong is told:', () => {
  test.each([
    [['extra'], "takes no 'extra'"],
    [['--sed', '1'], "Unknown option '--sed'"],
    [['--function', 'order-vew'], "there is no function 'order-vew'; there are account-emails"],
    [['--function', 'commands-api'], 'commands-api is not scaled by the lag of a consumer'],
    [['--function', 'outbox-relay'], 'outbox-relay is not scaled by the lag of a consumer'],
    [['--shape', 'wave'], "--shape is one of spike, day, ramp, not 'wave'"],
    [['--messages', '0'], "--messages must be a whole number from 1 to 20000000, not '0'"],
    [['--seconds', '1.5'], '--seconds must be a whole number'],
    [['--seed', '-1'], "Option '--seed' argument is ambiguous"],
    [['--ms', '200,50'], '--ms takes the middle time and that of 95 of 100, in ms, such as 50,200'],
    [['--pod-start', 'soon'], '--pod-start takes the middle time'],
    [['--overlay', 'production'], '--local is what npm start reads: leave out --overlay'],
    [['--out', 'plot.png'], "--out writes an .svg file, not 'plot.png'"],
    [['--out', '/nowhere/plot.svg'], '--out: there is no folder /nowhere; make it first'],
    [['--load', 'scripts'], '--load: scripts must be a file of at most 200 MB'],
    [['--set', 'replicas=3'], "--set: there is no 'replicas'; there are pollingInterval, cooldownPeriod, min, max"],
    [['--set', 'max'], "--set takes key=number, with commas between them, not 'max'"],
    [['--set', 'max=many'], "--set: max must be a whole number from 1 to 10000, not 'many'"],
    [['--set', 'min=5'], '--set: min is 5, above max, 4'],
    [['--set', 'tolerance=0.2'], '--set: tolerance is not followed by the local platform; leave out --local'],
    [['--load', '/nowhere/load.jsonl'], '--load: there is no file /nowhere/load.jsonl'],
    [['--load', 'package.json', '--shape', 'day'], '--load has its own shape'],
    [['--load', 'package.json'], 'package.json, line 1 is not JSON; a line is such as {"t": 1, "arrived": 12}'],
  ])('%j: %s', async (args, message) => {
    await expect(said(...args)).rejects.toThrow(message);
  });

  test.each([
    [['{"t":1,"arrived":2}', '{"t":1,"arrived":2}'], 'line 2: t is 1, and must be above 1'],
    [['', '{"t":1,"arrived":-2}'], 'line 2 is not valid: arrived'],
    [['{"t":1,"arrived":0}'], 'has no message'],
    [['{"t":1,"arrived":20000001}'], 'has 20000001 messages; at most 20000000 are taken'],
  ])('a load of %j: %s', async (lines, message) => {
    await expect(said('--load', written('wrong.jsonl', ...lines))).rejects.toThrow(message);
  });
});
