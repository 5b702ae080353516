/** /console and below → the page, the API that it reads, the live stream, and the few things it may do. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { methodNotAllowed, notFound } from '../../../functions/runtime/errors.ts';
import { sendJson } from '../../../functions/runtime/http/problem.ts';
import { openHistory } from './history.ts';
import { type Live, openLive } from './live.ts';
import { refuseForeignHost, refuseForeignOrigin, refuseForeignSite } from './origin.ts';
import type { File, Pages } from './pages.ts';
import { type Answer, type Asked, type Route, routes, type Sources } from './routes.ts';
import { openStates } from './states.ts';

export type Console = {
  /** True for what is below /console. */
  isFor(path: string): boolean;
  /** Throws an AppError, for the caller to answer with. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  close(): void;
};

const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');
const SAFE = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

function sendFile(request: IncomingMessage, response: ServerResponse, { body, gzipped, type, etag }: File): void {
  const headers = {
    ...SAFE,
    'content-security-policy': CSP,
    'cache-control': 'no-cache',
    etag,
    vary: 'accept-encoding',
  };
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, headers).end();
  const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const sent = zipped ? gzipped : body;
  const encoding = zipped ? { 'content-encoding': 'gzip' } : {};
  response.writeHead(200, { ...headers, ...encoding, 'content-type': type, 'content-length': sent.length });
  response.end(request.method === 'HEAD' ? undefined : sent);
}

function sendAnswer(response: ServerResponse, { body, html }: Answer): void {
  if (html === undefined) return sendJson(response, 200, body, { ...SAFE, 'cache-control': 'no-store' });
  // An e-mail is anybody's: it may look as it likes, and do and fetch nothing.
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'";
  const headers = { ...SAFE, 'content-security-policy': policy, 'cache-control': 'no-store' };
  response.writeHead(200, { ...headers, 'content-type': 'text/html; charset=utf-8' }).end(html);
}

const API = '/console/api/';
const LIVE = 'live';

function routeOf(method: string, at: string): { route: Route; names: readonly string[] } {
  const fitting = routes.flatMap((route) => {
    const found = route.path.exec(at);
    return found ? [{ route, names: found.slice(1) }] : [];
  });
  if (fitting.length === 0)
    throw notFound('no-such-path', `There is nothing at ${API}${at}; the console is at /console`);
  const found = fitting.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method));
  if (found) return found;
  const allow = fitting.map(({ route }) => route.method);
  throw methodNotAllowed(allow, `${API}${at} takes ${allow.join(', ')}, not ${method}`);
}

export function openConsole(pages: Pages, sources: Sources): Console {
  const live: Live = openLive({ history: openHistory(), functions: openStates(sources), counts: sources.counts });

  const answer = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    const at = url.pathname.slice(API.length);
    refuseForeignSite(request.headers);
    const { method = 'GET' } = request;
    if (at === LIVE) {
      if (method !== 'GET') throw methodNotAllowed(['GET'], `${API}${LIVE} can only be listened to: send GET`);
      return live.listen(response);
    }
    const { route, names } = routeOf(method, at);
    if (route.method !== 'GET') refuseForeignOrigin(request.headers);
    const asked: Asked = { names, query: url.searchParams };
    sendAnswer(response, await route.answer(sources, asked));
  };

  return {
    isFor: (path) => path === '/console' || path.startsWith('/console/'),
    async handle(request, response) {
      refuseForeignHost(request.headers);
      const url = new URL(request.url ?? '/', 'http://console');
      // No route reads a body.
      request.resume();
      if (url.pathname.startsWith(API)) return answer(request, response, url);
      const page = pages.get(url.pathname === '/console/' ? '/console' : url.pathname);
      if (!page) throw notFound('no-such-path', `There is nothing at ${url.pathname}; the console is at /console`);
      if (request.method !== 'GET' && request.method !== 'HEAD')
        throw methodNotAllowed(['GET', 'HEAD'], `${url.pathname} can only be read: send GET`);
      sendFile(request, response, page);
    },
    close: live.close,
  };
}
