/** A function's bundle as a process of its own, ready to take what comes; it ends with the place that it runs in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { freePort } from '../../../platform/servers/ports.ts';
import type { Place } from './place.ts';

const MOST_MS = 20_000;
const POLL_MS = 20;

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/** Resolves to its URL when `/readyz` answers; throws when it does not. */
export async function startBundle(
  { environment, bundleOf }: Pick<Place, 'environment' | 'bundleOf'>,
  name: string,
  cleanup: Cleanup,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const port = await freePort();
  const child = spawn(process.execPath, [bundleOf(name)], {
    env: { ...environment, PORT: String(port), ...more },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit');
  cleanup.add(name, async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  for (const end = Date.now() + MOST_MS; !(await answers(`${url}/readyz`)); await delay(POLL_MS))
    if (child.exitCode !== null || Date.now() > end) throw new Error(`${name} does not become ready`);
  return url;
}
