/** Builder of HTTP functions: a table of routes → a function that answers requests, counts them and says what went wrong. */
import type { ServerResponse } from 'node:http';
import { invalid, toAppError } from './errors.ts';
import type { Calls, Definition, HttpRequest, Outbound, Shell } from './function.ts';
import { clientAddress, readProxies } from './http/client-address.ts';
import { sendJson, sendProblem, sendText } from './http/problem.ts';
import { bearerToken, type Caller, parseUrl, type Reply, type Route, router } from './http/routes.ts';
import { record } from './metrics.ts';
import { ConfigError, type SettingsOf, setting } from './settings.ts';
import { continueTrace, currentSpan, currentTrace, noteSubject, type Trace } from './trace.ts';

export { type Caller, callerRoute, type Header, publicRoute, type Reply, type Route } from './http/routes.ts';

/** What a request is counted as: anybody may ask for any path. */
type Counted = { readonly method: string; readonly route: string };

type Authenticate = (token: string, trace: Trace) => Promise<Caller>;

function bodyOf(request: HttpRequest): unknown {
  if (/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return request.body;
  throw invalid(
    'not-json-content',
    `The content-type is '${request.headers['content-type'] ?? ''}'; send application/json`,
  );
}

/** What the request is for, on its span: the pattern of the route, never the path. */
function noteRoute({ method, path, subject }: Route, params: Readonly<Record<string, string>>): void {
  currentSpan()?.rename(`${method} ${path}`);
  currentSpan()?.add({ 'http.route': path });
  if (subject) noteSubject(params[subject]);
}

const httpSettings = {
  TRUSTED_PROXIES: setting(
    'Addresses and ranges of the proxies in front, whose `X-Forwarded-For` is believed',
    readProxies,
    '',
  ),
};
type HttpSettings = { readonly TRUSTED_PROXIES: ReturnType<typeof readProxies> };

type Parts = {
  /** The caller of a bearer token; without it all routes are public. */
  readonly authenticate?: Authenticate;
  notReady(): string | undefined;
};

/** Throws unless there is a way to know the callers of every route that is for them. */
function checkAccess(name: string, routes: readonly Route[], authenticate: Authenticate | undefined): void {
  const closed = routes.find(({ access }) => access !== 'public');
  if (closed && !authenticate)
    throw new ConfigError(
      `${name}: ${closed.method} ${closed.path} is for callers, but open() gives no \`authenticate\` that knows them`,
    );
}

/** An HTTP function; `routes` is its table for those who only read it: its handlers cannot be called. */
export type HttpDefinition<Own extends object = never> = Definition<Own> & { routes(): readonly Route[] };

export function http<Own extends object, Opened extends Parts>(spec: {
  readonly settings: SettingsOf<Own>;
  /** Types of the messages that it sends. */
  readonly publishes?: readonly string[];
  /** Functions that it sends tasks to. */
  readonly tasksTo?: readonly string[];
  /** Hosts that it calls. */
  readonly outbound?: readonly Outbound[];
  /** What it calls in its own name: service → methods. */
  readonly calls?: Calls;
  open(shell: Shell<Own>): Promise<Opened>;
  /** Inert: only the handlers may touch what was opened. */
  routes(opened: Opened): readonly Route[];
}): HttpDefinition<Own & HttpSettings> {
  return {
    kind: 'http',
    settings: { ...httpSettings, ...spec.settings },
    consumes: [],
    publishes: spec.publishes ?? [],
    tasksTo: spec.tasksTo ?? [],
    schedules: [],
    outbound: spec.outbound ?? [],
    calls: spec.calls ?? {},
    inFlight: 0,
    routes: () => spec.routes({} as Opened),
    async start(shell) {
      const opened = await spec.open(shell);
      const { authenticate, notReady } = opened;
      const routes = spec.routes(opened);
      checkAccess(shell.name, routes, authenticate);
      const find = router(routes);

      const answer = async (request: HttpRequest, trace: Trace, counted: Counted): Promise<Reply> => {
        const { path, query } = parseUrl(request.url);
        const { route, params } = find(request.method ?? 'GET', path);
        Object.assign(counted, { method: route.method, route: route.path });
        noteRoute(route, params);
        const caller =
          route.access === 'public' ? undefined : await authenticate?.(bearerToken(request.headers), trace);
        const body = route.body ? bodyOf(request) : route.takes && request.body;
        const { headers, socket } = request;
        const from = clientAddress(headers['x-forwarded-for'], socket.remoteAddress, shell.settings.TRUSTED_PROXIES);
        return route.handle({ params, query, body, headers, clientAddress: from, trace }, caller);
      };

      const handle = async (request: HttpRequest, response: ServerResponse): Promise<void> => {
        const trace = currentTrace() ?? continueTrace(request.headers.traceparent?.toString());
        const began = Date.now();
        const counted: Counted = { method: 'other', route: 'none' };
        try {
          const { status, body, text, headers, subject } = await answer(request, trace, counted);
          noteSubject(subject);
          if (body === undefined) sendText(response, status, text, headers);
          else sendJson(response, status, body, headers);
        } catch (thrown) {
          const error = toAppError(thrown);
          const fields = { traceId: trace.traceId, slug: error.slug, method: request.method };
          if (error.code === 'internal')
            shell.log.error({ ...fields, error: error.stack, cause: String(error.cause) }, 'request failed');
          sendProblem(response, error, trace.traceId);
        }
        const status = `${String(response.statusCode).charAt(0)}xx`;
        record('millrace.http.request', { ...counted, status }, (Date.now() - began) / 1_000, trace.traceId);
      };

      return { notReady, http: handle, drain: async () => undefined };
    },
  };
}
