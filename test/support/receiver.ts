/** A partner: a real HTTP server that keeps what it gets, and answers as it is told. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export type Received = { readonly headers: IncomingHttpHeaders; readonly body: string; readonly at: number };

export type Receiver = {
  readonly url: string;
  readonly received: Received[];
  /** From now on; 204 unless told. */
  answer(how: (response: ServerResponse, nth: number) => void): void;
  /** Nobody listens there, until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
};

const good = (response: ServerResponse): void => void response.writeHead(204).end();

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let how: (response: ServerResponse, nth: number) => void = good;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), at: Date.now() });
    how(response, received.length);
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const down = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  const port = await listen(0);
  return {
    url: `http://127.0.0.1:${port}/hooks?key=a-key-of-the-partner`,
    received,
    answer(next) {
      how = next;
    },
    down,
    up: async () => void (await listen(port)),
    close: down,
  };
}

/** The event that was delivered, as the independent library verifies it; throws when it does not. */
export const verified = (secret: string, { headers, body }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as {
    readonly id: string;
    readonly type: string;
    readonly data: { readonly order: { readonly orderId: string } };
  };
