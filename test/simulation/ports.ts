/** In place of the network: what functions open is a port of the simulated process whose shell they were started with. */

import type { CallPolicy } from '../../functions/runtime/call-policy.ts';
import { AppError, unavailable } from '../../functions/runtime/errors.ts';
import type { Bus } from '../../functions/runtime/jetstream/connection.ts';
import type { Database } from '../../functions/runtime/postgres.ts';

type Mail = { readonly to: string; readonly messageId: string };
export type Ports = {
  readonly bus: Bus;
  readonly database: Database;
  send(mail: Mail): Promise<void>;
  getUser(user: { readonly userId: string }): Promise<{ readonly email: string }>;
};

const ports = new WeakMap<object, Ports>();
export const givePorts = (shell: object, own: Ports): unknown => ports.set(shell, own);

export function portsOf(shell: object): Ports {
  const own = ports.get(shell);
  if (!own) throw new Error('the shell has no ports');
  return own;
}

/** mulberry32: from 0 to below 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    const more = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((more ^ (more >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A guard's time limit without its breaker. */
export const openCallPolicy = (_shell: unknown, { name }: { readonly name: string }): CallPolicy => ({
  async run(work, { timeoutMs = 4_000 } = {}) {
    const controller = new AbortController();
    const late = unavailable(`${name}-unavailable`, `'${name}' did not answer`);
    const timer = setTimeout(() => controller.abort(late), timeoutMs);
    const over = new Promise<never>((_, reject) => controller.signal.addEventListener('abort', () => reject(late)));
    const working = work({ signal: controller.signal, deadline: Date.now() + timeoutMs });
    return Promise.race([working, over]).finally(() => clearTimeout(timer));
  },
});

/** `setTimeout` of node:timers/promises, by the virtual clock. */
export const delay = (ms: number, value?: unknown, options: { readonly signal?: AbortSignal } = {}) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(value), ms);
    const abort = (): void => {
      clearTimeout(timer);
      reject(new AppError('unavailable', 'aborted', 'aborted'));
    };
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener('abort', abort, { once: true });
  });

/** As node:crypto does, but from the seeded Math.random of a run. */
export const randomBytes = (size: number): Buffer =>
  Buffer.from(Array.from({ length: size }, () => Math.floor(Math.random() * 256)));
