/** A port in front of a server's port: TCP that can be cut, slowed down or swallowed for a while. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * `cut`: connections are reset, new ones too. `slow`: what passes takes longer. `swallow`: nothing passes, and nobody is
 * told; afterwards it does, as when TCP sends again.
 */
export type LinkState = 'open' | 'cut' | 'slow' | 'swallow';
export type Link = { readonly port: number; become(state: LinkState): void; close(): Promise<void> };

const SLOW_MS = 120;

export async function openLink(target: number): Promise<Link> {
  let state: LinkState = 'open';
  let opened = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();

  async function* gate(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      if (state === 'slow') await delay(SLOW_MS);
      if (state === 'swallow') await opened.promise;
      yield chunk;
    }
  }
  const hold = (socket: Socket): Socket => {
    sockets.add(socket.setNoDelay(true));
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    if (state === 'cut') return client.resetAndDestroy();
    const [near, far] = [hold(client), hold(connect(target, '127.0.0.1'))];
    const both = Promise.all([pipeline(near, gate, far), pipeline(far, gate, near)]);
    both.catch(() => [near, far].forEach((socket) => void socket.destroy()));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const reset = (): void => sockets.forEach((socket) => void socket.resetAndDestroy());

  return {
    port: (server.address() as AddressInfo).port,
    become(next) {
      if (state === 'swallow') opened.resolve();
      if (next === 'swallow') opened = Promise.withResolvers();
      if (next === 'cut') reset();
      state = next;
    },
    close() {
      opened.resolve();
      reset();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
