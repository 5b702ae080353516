/** An OTLP/JSON receiver on this machine: `POST /v1/traces` and `/v1/metrics`, as they are or gzipped → what they bring. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { AppError, invalid, methodNotAllowed, toAppError } from '../../../functions/runtime/errors.ts';
import { sendJson, sendProblem } from '../../../functions/runtime/http/problem.ts';
import { parseJson } from '../../../functions/runtime/messages/message.ts';
import { continueTrace } from '../../../functions/runtime/trace.ts';

/** Path → what takes the body, and throws `invalid` when it is not as it must be. */
export type Takers = Readonly<Record<string, (body: unknown) => void>>;
export type Receiver = { readonly url: string; close(): Promise<void> };

const MOST_BYTES = 4_000_000;
const MOST_INFLATED_BYTES = 16_000_000;
const MOST_CONNECTIONS = 200;
const REQUEST_MS = 10_000;

const tooLarge = (bytes: number): AppError =>
  invalid('body-too-large', `The body is larger than ${bytes} bytes; export fewer at once`);

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw tooLarge(MOST_BYTES);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function inflate(bytes: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MOST_INFLATED_BYTES });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(MOST_INFLATED_BYTES);
    throw invalid('not-gzip', 'The body is not gzip, as its content-encoding says');
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers;
  if (!/^application\/json\b/i.test(type))
    throw invalid('not-json-content', 'Only JSON is taken here: set OTEL_EXPORTER_OTLP_PROTOCOL=http/json');
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw invalid('unsupported-encoding', `The content-encoding is '${encoding}'; send the body as it is, or gzipped`);
  const bytes = await readBytes(request);
  return parseJson((encoding === 'gzip' ? await inflate(bytes) : bytes).toString('utf8'));
}

async function receive(takers: Takers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '';
  const take = takers[path];
  if (!take)
    throw new AppError('not-found', 'no-such-path', `There is nothing at ${path}, only ${Object.keys(takers)}`);
  if (request.method !== 'POST') throw methodNotAllowed(['POST'], `${path} is written to: send POST`);
  take(await readBody(request));
  sendJson(response, 200, {});
}

export async function openReceiver(takers: Takers): Promise<Receiver> {
  const server = createServer({ requestTimeout: REQUEST_MS }, (request, response) => {
    receive(takers, request, response).catch((error: unknown) => {
      if (response.destroyed || response.headersSent) return;
      if (!request.complete) response.setHeader('connection', 'close');
      sendProblem(response, toAppError(error), continueTrace().traceId);
      request.resume();
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
