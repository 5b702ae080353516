/** The one HTTP address of the platform: HTTP functions by their routes, the console, the mailbox, the functions' state, and readiness. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AppError, invalid, methodNotAllowed, toAppError } from '../../../functions/runtime/errors.ts';
import { sendJson, sendProblem } from '../../../functions/runtime/http/problem.ts';
import { parseUrl } from '../../../functions/runtime/http/routes.ts';
import { continueTrace } from '../../../functions/runtime/trace.ts';
import type { Console } from '../console/console.ts';
import { refuseForeignHost } from '../console/origin.ts';
import type { HttpScaler } from '../scaling/knative.ts';
import type { FunctionState } from '../scaling/scaler.ts';
import type { Mail } from '../servers/mailbox.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export type Rooms = {
  readonly port: number;
  /** The function for a request; throws an AppError when there is none. */
  functionFor(method: string, path: string): Pick<HttpScaler, 'handle'>;
  /** What cannot serve, each in a few words; empty when all can. */
  notReady(): readonly string[];
  mail(): readonly Mail[];
  functions(): readonly FunctionState[];
  readonly telemetry: Pick<Telemetry, 'answer'>;
  readonly console: Pick<Console, 'isFor' | 'handle'>;
};
export type Gateway = { close(): Promise<void> };

const MOST_BODY_BYTES = 1024 * 1024;
const LINGER_MS = 1_000;
const LONGEST_CLOSE_MS = 30_000;

export async function openGateway(rooms: Rooms): Promise<Gateway> {
  const server = createServer((request, response) => {
    const { traceId } = continueTrace(request.headers.traceparent?.toString());
    enter(rooms, request, response, traceId).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy();
      sendProblem(response, toAppError(error), traceId);
      if (!request.complete) hangUp(request, response);
    });
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(rooms.port, '127.0.0.1', () => resolve()),
  );
  return { close: () => closeGently(server) };
}

async function enter(rooms: Rooms, request: IncomingMessage, response: ServerResponse, traceId: string): Promise<void> {
  const { method = 'GET', url = '' } = request;
  const [path = '', query] = url.split('?');
  if (rooms.console.isFor(path)) return rooms.console.handle(request, response);
  const answer = LOCAL[path] ?? (TELEMETRY.test(path) ? answerTelemetry(path, query) : undefined);
  if (!answer) {
    const { handle } = rooms.functionFor(method, parseUrl(url).path);
    return handle({ request, response, body: await readBody(request, response), traceId });
  }
  if (method !== 'GET' && method !== 'HEAD')
    throw methodNotAllowed(['GET', 'HEAD'], `${path} can only be read: send GET`);
  // E-mails hold links to sign in by.
  if (path.startsWith('/_local/')) refuseForeignHost(request.headers);
  const { status, body } = answer(rooms);
  sendJson(response, status, body, { 'cache-control': 'no-store' });
}

const LOCAL: Readonly<Record<string, (rooms: Rooms) => { status: number; body: unknown }>> = {
  '/readyz': (rooms) => {
    const notReady = rooms.notReady();
    return { status: notReady.length === 0 ? 200 : 503, body: { ready: notReady.length === 0, notReady } };
  },
  '/_local/mail': (rooms) => ({ status: 200, body: rooms.mail() }),
  '/_local/functions': (rooms) => ({ status: 200, body: rooms.functions() }),
};

const TELEMETRY = /^\/_local\/(traces|metrics)(\/|$)/;

const answerTelemetry = (path: string, query: string | undefined) => (rooms: Rooms) => ({
  status: 200,
  body: rooms.telemetry.answer(path.replace('/_local/', ''), new URLSearchParams(query)),
});

const tooLarge = (): AppError =>
  invalid('body-too-large', `The body is larger than ${MOST_BODY_BYTES} bytes; send less`);

/** Read whole, so that it can wait for a replica, and be sent again to another one. */
async function readBody(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > MOST_BODY_BYTES) throw refuse(response);
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_BODY_BYTES) return reject(refuse(response));
      chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
  });
}

function refuse(response: ServerResponse): AppError {
  if (!response.headersSent) response.setHeader('connection', 'close');
  return tooLarge();
}

/** A client that is still sending must get the answer before its connection is closed. */
function hangUp(request: IncomingMessage, response: ServerResponse): void {
  request.removeAllListeners('data');
  request.resume();
  response.once('finish', () => setTimeout(() => request.destroy(), LINGER_MS).unref());
}

function closeGently(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), LONGEST_CLOSE_MS);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}
