/** JSON to a collector of telemetry, by one request on a connection of its own; only its status is read. */
import { connect } from 'node:net';

const TIMEOUT_MS = 1_000;
const HTTP_PORT = 80;

const late = (): Error => new Error(`no answer in ${TIMEOUT_MS} ms`);

/** Over a bare socket: the client of node:http costs a function that starts for one message three times as much. */
function overSocket({ hostname, port, host, pathname, search }: URL, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || HTTP_PORT });
    const timer = setTimeout(() => socket.destroy(late()), TIMEOUT_MS);
    let head = '';
    socket
      .setEncoding('latin1')
      .on('data', (chunk) => {
        head += chunk;
        const [, status] = /^HTTP\/1\.\d (\d{3}) /.exec(head) ?? [];
        if (!status && head.length < 16) return;
        resolve(Number(status));
        socket.destroy();
      })
      .once('error', reject)
      .once('close', () => {
        clearTimeout(timer);
        reject(new Error('the connection was closed before an answer'));
      });
    const lines = [
      `POST ${pathname}${search} HTTP/1.1`,
      `host: ${host}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ];
    // Not ended yet: a server may take that for somebody who has gone.
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  });
}

async function overClient(url: URL, body: string): Promise<number> {
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers, agent: false }, (response) => {
      response.once('error', reject).resume();
      resolve(response.statusCode ?? 0);
    });
    const timer = setTimeout(() => sent.destroy(late()), TIMEOUT_MS);
    sent
      .once('error', reject)
      .once('close', () => clearTimeout(timer))
      .end(body);
  });
}

/** Resolves when it was taken; throws why it was not, after a second at the latest. */
export async function post(url: URL, body: string): Promise<void> {
  const isPlain = url.protocol === 'http:' && url.username === '';
  const status = await (isPlain ? overSocket : overClient)(url, body);
  if (!(status >= 200 && status < 300)) throw new Error(`it answered ${status}`);
}
