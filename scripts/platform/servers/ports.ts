/** A preferred port → that port if it is free on 127.0.0.1, else any free one; never the same "any" twice in a process. */
import { createServer } from 'node:net';

const given = new Set<number>();

export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && preferred > 0) {
    const port = await tryToListen(preferred);
    if (port !== undefined) return port;
  }
  for (;;) {
    const port = await tryToListen(0);
    if (port === undefined) throw new Error('no free TCP port on 127.0.0.1');
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
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
