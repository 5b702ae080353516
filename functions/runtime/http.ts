/** Builder of HTTP functions: a table of routes, each with who may call it and the schemas of what it takes. */
import type { ServerResponse } from 'node:http';
import { match } from 'path-to-regexp';
import * as z from 'zod/mini';
import type { Setting } from './config.ts';
import { AppError, invalid, toAppError } from './errors.ts';
import type { Definition, HttpRequest, Shell } from './function.ts';
import { sendJson, sendProblem } from './problem.ts';
import { continueTrace, type Trace } from './trace.ts';
import { validate } from './validate.ts';

export type Caller = { readonly userId: string; readonly role: string };

type Call<Params, Query, Body> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly headers: HttpRequest['headers'];
  readonly trace: Trace;
};

type Reply = { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> };

type AnySchema = z.ZodMiniType;
type Shape<Params extends AnySchema, Query extends AnySchema, Body extends AnySchema> = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Such as `/v1/orders/:orderId`. */
  readonly path: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
};

/** A route as the server runs it: what comes in is not yet checked. */
export type Route = Shape<AnySchema, AnySchema, AnySchema> & {
  readonly isPublic: boolean;
  handle(raw: Call<unknown, unknown, unknown>, caller: Caller | undefined): Promise<Reply>;
};

const nothing = z.strictObject({});

const checked = <Params extends AnySchema, Query extends AnySchema, Body extends AnySchema>(
  shape: Shape<Params, Query, Body>,
  raw: Call<unknown, unknown, unknown>,
) =>
  ({
    ...raw,
    params: validate(shape.params ?? nothing, raw.params, 'The path', 'invalid-path'),
    query: validate(shape.query ?? nothing, raw.query, 'The query', 'invalid-query'),
    body: shape.body && validate(shape.body, raw.body, 'The body', 'invalid-body'),
  }) as Call<z.infer<Params>, z.infer<Query>, z.infer<Body>>;

/** A route that anybody may call. */
export const publicRoute = <Params extends AnySchema, Query extends AnySchema, Body extends AnySchema>(
  shape: Shape<Params, Query, Body>,
  handle: (call: Call<z.infer<Params>, z.infer<Query>, z.infer<Body>>) => Promise<Reply>,
): Route => ({ ...shape, isPublic: true, handle: (raw) => handle(checked(shape, raw)) });

/** A route for those who are signed in; with a role, only for those who have it. */
export const callerRoute = <Params extends AnySchema, Query extends AnySchema, Body extends AnySchema>(
  shape: Shape<Params, Query, Body> & { readonly role?: string },
  handle: (call: Call<z.infer<Params>, z.infer<Query>, z.infer<Body>> & { readonly caller: Caller }) => Promise<Reply>,
): Route => ({
  ...shape,
  isPublic: false,
  handle: async (raw, caller) => {
    if (!caller)
      throw new AppError('unauthenticated', 'no-token', 'Send an access token: Authorization: Bearer <token>');
    if (shape.role && caller.role !== shape.role)
      throw new AppError('forbidden', 'wrong-role', `Only ${shape.role} may do this`);
    return handle({ ...checked(shape, raw), caller });
  },
});

type Authenticate = (token: string, trace: Trace) => Promise<Caller>;

function bearerToken(headers: HttpRequest['headers']): string {
  const [, token] = /^Bearer ([\w\-.~+/]+=*)$/i.exec(headers.authorization ?? '') ?? [];
  if (token) return token;
  throw new AppError('unauthenticated', 'no-token', 'Send an access token: Authorization: Bearer <token>');
}

function bodyOf(request: HttpRequest): unknown {
  if (/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return request.body;
  throw invalid(
    'not-json-content',
    `The content-type is '${request.headers['content-type'] ?? ''}'; send application/json`,
  );
}

/** Finds the route of a request; throws `not-found`, or `method-not-allowed` with the methods that there are. */
export function router(routes: readonly Route[]) {
  const table = routes.map((route) => ({ route, matches: match<Record<string, string>>(route.path) }));
  return (method: string, path: string) => {
    const atPath = table.flatMap(({ route, matches }) => {
      const found = matches(path);
      return found ? [{ route, params: { ...found.params } }] : [];
    });
    const wanted = method === 'HEAD' ? 'GET' : method;
    const found = atPath.find(({ route }) => route.method === wanted);
    if (found) return found;
    if (atPath.length === 0) throw new AppError('not-found', 'no-such-path', `There is nothing at ${path}`);
    const methods = atPath.map(({ route }) => route.method).join(', ');
    throw invalid('method-not-allowed', `${path} takes ${methods}, not ${method}`);
  };
}

function parseUrl(raw: string | undefined): { path: string; query: object } {
  try {
    const { pathname, searchParams } = new URL(raw ?? '/', 'http://function');
    return { path: pathname, query: Object.fromEntries(searchParams) };
  } catch {
    throw invalid('bad-path', 'The path of the request cannot be read');
  }
}

export function http<Need extends Setting>(spec: {
  readonly needs: readonly Need[];
  open(
    shell: Shell<Need>,
  ): Promise<{ routes: readonly Route[]; authenticate: Authenticate; notReady(): string | undefined }>;
}): Definition<Need> {
  return {
    kind: 'http',
    needs: spec.needs,
    consumes: [],
    inFlight: 0,
    async start(shell) {
      const { routes, authenticate, notReady } = await spec.open(shell);
      const find = router(routes);

      const answer = async (request: HttpRequest, trace: Trace): Promise<Reply> => {
        const { path, query } = parseUrl(request.url);
        const { route, params } = find(request.method ?? 'GET', path);
        const caller = route.isPublic ? undefined : await authenticate(bearerToken(request.headers), trace);
        const body = route.body ? bodyOf(request) : undefined;
        return route.handle({ params, query, body, headers: request.headers, trace }, caller);
      };

      const handle = async (request: HttpRequest, response: ServerResponse): Promise<void> => {
        const trace = continueTrace(request.headers.traceparent?.toString());
        try {
          const { status, body, headers } = await answer(request, trace);
          sendJson(response, status, body, headers);
        } catch (thrown) {
          const error = toAppError(thrown);
          const fields = { traceId: trace.traceId, slug: error.slug, method: request.method };
          if (error.code === 'internal')
            shell.log.error({ ...fields, error: error.stack, cause: String(error.cause) }, 'request failed');
          sendProblem(response, error, trace.traceId);
        }
      };

      return { notReady, http: handle, drain: async () => undefined };
    },
  };
}
