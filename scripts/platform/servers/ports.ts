/** A preferred port → that port if it is free on 127.0.0.1, else any free one; never the same "any" twice in a process. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const given = new Set<number>();

/** Below the ports that Linux gives to outgoing connections: one of these could take a free port before its server does. */
const [LOWEST, HIGHEST] = [20_000, 32_000];
const TRIES = 100;

export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && preferred > 0) {
    const port = await tryToListen(preferred);
    if (port !== undefined) return port;
  }
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = await tryToListen(randomInt(LOWEST, HIGHEST));
    if (port === undefined || given.has(port)) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free TCP port on 127.0.0.1 from ${LOWEST} to ${HIGHEST}`);
}

function tryToListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
