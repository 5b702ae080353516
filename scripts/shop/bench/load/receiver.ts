/** What functions push over OTLP here: whether a span of a trace has come, or one of a name. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';

export type Receiver = {
  readonly url: string;
  /** Whether something pushed to /v1/traces since the last `forget` has the text in it: in JSON, or in protobuf. */
  has(word: string): boolean;
  forget(): void;
};

export async function openSpanReceiver(cleanup: Cleanup): Promise<Receiver> {
  let bodies: Buffer[] = [];
  const server = http.createServer(async (request, response) => {
    const body = await buffer(request);
    if (request.url === '/v1/traces')
      bodies.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    response.end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  cleanup.add('receiver of spans', () => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    has: (word) => bodies.some((body) => body.includes(word)),
    forget() {
      bodies = [];
    },
  };
}
