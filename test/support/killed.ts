/** A function that is killed at each of its writes in turn, and started again after each. */

import path from 'node:path';
import { expect } from 'vitest';
import { repository } from '../../scripts/registry/repository.ts';
import type { Backends } from './backends.ts';
import { startFunction } from './functions.ts';
import { until } from './until.ts';

const PRELOAD = path.join(repository, 'test/support/kill-at-write.cjs');
/** So short that nobody is reminded of it. */
const WINDOW = { PAYMENT_WINDOW_SECONDS: '300' };
/** More writes than a start and one command need: the loop ends when a run survives. */
const MOST_WRITES = 80;

type Options = {
  readonly first?: number;
  readonly step?: number;
  readonly env?: Readonly<Record<string, string>>;
  isDone?(id: string): Promise<boolean>;
};

/**
 * `send` sends one command for the function, and gives the id of its aggregate; it gets all ids back. With `first` and
 * `step` others can do the rest of the writes at the same time, each with backends of its own. For a function that takes no
 * commands `isDone` tells whether it has handled what was sent; `env` is for it to start with.
 */
export async function killAtEachWrite(
  backends: Backends,
  name: string,
  send: () => Promise<string>,
  { first = 1, step = 1, env: own = {}, isDone }: Options = {},
): Promise<string[]> {
  const type = `command.order.${name.replace(/-order$/, '')}`;

  /** Answered and acknowledged. */
  const handled = async (id: string): Promise<boolean> => {
    if (isDone) return isDone(id);
    const text = 'select from commands where aggregate_id = $1 and type = $2';
    const { rows } = await backends.database.query(text, [id, type]);
    return rows.length === 1 && (await backends.undone('COMMANDS', name)) === 0;
  };

  /** Runs the function until it has killed itself at its n-th write (true) or has handled everything (false). */
  const dies = async (atWrite: number, id: string): Promise<boolean> => {
    const ports = [backends.natsUrl, backends.databaseUrl].map((url) => new URL(url).port).join(',');
    const env = { ...WINDOW, ...own, KILL_AT_WRITE: String(atWrite), KILL_PORTS: ports };
    const running = await startFunction(name, backends, { env, require: PRELOAD, whenReady: false });
    let ended = false;
    void running.exited.then(() => {
      ended = true;
    });
    await until(`${name} to be killed or to be done`, async () => ended || (await handled(id)));
    running.kill('SIGTERM');
    const { code, signal } = await running.exited;
    // It may also meet its last write while it drains.
    if (signal === 'SIGKILL') return true;
    if (code !== 0) throw new Error(`${name} ended with ${code}:\n${running.lines.join('\n')}`);
    return false;
  };

  const ids: string[] = [];
  for (let atWrite = first; atWrite <= MOST_WRITES; atWrite += step) {
    const id = await send();
    ids.push(id);
    if (!(await dies(atWrite, id))) break;
    const again = await startFunction(name, backends, { env: { ...WINDOW, ...own } });
    await until('the command to be handled after the kill', () => handled(id));
    await again.stop();
  }
  expect(ids.length).toBeGreaterThan(5 / step);
  expect(ids.length).toBeLessThan(MOST_WRITES / step);
  return ids;
}
