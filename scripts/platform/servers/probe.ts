/** A port of a function → whether it says that it is ready. */
import { request } from 'node:http';

const PROBE_TIMEOUT_MS = 2_000;

export function probe(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probing = request({ host: '127.0.0.1', port, path: '/readyz', agent: false, timeout: PROBE_TIMEOUT_MS });
    probing.once('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probing.once('timeout', () => probing.destroy());
    probing.once('error', () => resolve(false));
    probing.once('close', () => resolve(false));
    probing.end();
  });
}
