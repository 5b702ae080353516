/** The HTTP server of every function: `/livez`, `/readyz`, reads, and what has a body through the functions framework. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError, invalid, toAppError } from '../errors.ts';
import type { HttpHandler, HttpRequest, Shell } from '../function.ts';
import { type Span, startSpan } from '../trace.ts';
import { sendJson, sendProblem } from './problem.ts';

const MAX_BODY_BYTES = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const EVERYWHERE = '0.0.0.0';
/** Others may be anything, and name no span. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

type App = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

/** Registers the handler with the framework and takes the framework's own application; it costs 30 ms, so not before use. */
async function openFramework(
  name: string,
  handler: HttpHandler,
  spanOf: (request: IncomingMessage) => Span | undefined,
): Promise<App> {
  const framework = await import('@google-cloud/functions-framework');
  const { getTestServer } = await import('@google-cloud/functions-framework/testing');
  // What was refused for its size has its answer; the framework has read on, and must not run it.
  framework.http(name, (request, response) => {
    if (response.headersSent) return;
    const handle = () => handler(request as HttpRequest, response);
    return spanOf(request)?.run(handle) ?? handle();
  });
  const [app] = getTestServer(name).listeners('request');
  return app as App;
}

/** What the framework's body parsers, or its router, could not do, as an error of ours. */
function frameworkError(error: unknown): AppError {
  const { type, status, message } = (error ?? {}) as { type?: string; status?: number; message?: string };
  if (error === undefined) return new AppError('not-found', 'no-such-path', 'There is nothing at this path');
  if (type === 'entity.parse.failed')
    return invalid('not-json', `The body is not JSON (${message}); send a JSON object`);
  if (status !== undefined && status < 500) return invalid('bad-request', `The request cannot be read: ${message}`);
  return toAppError(error);
}

/**
 * Ends a request whose body is over the limit, whether or not it said so in content-length. A compressed body is refused:
 * its size says nothing of what the framework would make of it.
 */
function limitBody(request: IncomingMessage, response: ServerResponse, traceId: string): void {
  const refuse = (): void => {
    if (response.headersSent) return;
    response.setHeader('connection', 'close');
    sendProblem(response, invalid('body-too-large', `The body is larger than ${MAX_BODY_BYTES} bytes`), traceId);
  };
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    const error = invalid('unsupported-encoding', `The content-encoding is '${encoding}'; send the body as it is`);
    return sendProblem(response, error, traceId);
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return refuse();
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) refuse();
  });
}

/** The answer to a request as a span, which the route may name; it ends with the answer. */
function startRequest(request: IncomingMessage, response: ServerResponse): Span {
  const method = METHODS.has(request.method ?? '') ? String(request.method) : 'HTTP';
  const span = startSpan(method, {
    kind: 'server',
    parent: request.headers.traceparent?.toString(),
    attributes: { 'http.request.method': method },
  });
  response.once('close', () => {
    span.add({ 'http.response.status_code': response.statusCode });
    if (response.statusCode >= 500) span.fail(String(response.statusCode));
    span.end();
  });
  return span;
}

/** Without a body there is nothing that the framework would do: a third of the CPU of a read, and 30 ms at the first. */
const isBareRead = ({ method, headers }: IncomingMessage): boolean =>
  (method === 'GET' || method === 'HEAD') &&
  headers['transfer-encoding'] === undefined &&
  Number(headers['content-length'] ?? 0) === 0;

export type Probes = { notReady(): string | undefined; handler(): HttpHandler | undefined };

/** Listens on HOST:PORT; resolves to the server, whose port is logged. */
export async function startServer(shell: Shell, probes: Probes): Promise<Server> {
  let app: Promise<App> | undefined;
  const spans = new WeakMap<IncomingMessage, Span>();

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === '/livez') return sendJson(response, 200, { status: 'alive' });
    if (request.url === '/readyz') {
      const why = probes.notReady();
      return sendJson(response, why ? 503 : 200, why ? { status: 'not ready', why } : { status: 'ready' });
    }
    const span = startRequest(request, response);
    spans.set(request, span);
    const { traceId } = span.trace;
    const handler = probes.handler();
    if (!handler)
      return sendProblem(response, new AppError('unavailable', 'starting', 'This function is starting'), traceId);
    if (isBareRead(request)) return span.run(() => handler(request as HttpRequest, response));
    app ??= openFramework(shell.name, handler, (one) => spans.get(one));
    const ready = await app;
    limitBody(request, response, traceId);
    if (!response.writableEnded)
      ready(request, response, (error) => sendProblem(response, frameworkError(error), traceId));
  };

  const server = createServer((request, response) => {
    respond(request, response).catch((error) => {
      shell.log.error({ error: toAppError(error).stack }, 'request failed');
      response.destroy();
    });
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS / 2;
  // Longer than a proxy in front keeps its idle connections: it must be the one that closes them.
  server.keepAliveTimeout = 75_000;
  const { HOST, PORT } = shell.settings;
  // To listen on a host Node looks it up, at some cost, even when it is all of them.
  const at = HOST === EVERYWHERE ? { port: PORT } : { port: PORT, host: HOST };
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(at, resolve));
  shell.log.info({ port: (server.address() as AddressInfo).port }, 'listening');
  return server;
}

/** Answers what is in progress, refuses what is new, and resolves when the last connection is closed. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that is busy now is idle after its answer, and would be kept alive for seconds.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  await closed;
  clearInterval(idle);
}
