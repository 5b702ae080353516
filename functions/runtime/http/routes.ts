/** A route of an HTTP function: who may call it, the schemas of what it takes, and how the one of a request is found. */
import { match } from 'path-to-regexp';
import * as z from 'zod/mini';
import { AppError, invalid, methodNotAllowed } from '../errors.ts';
import type { HttpRequest } from '../function.ts';
import { validate } from '../schema.ts';
import type { Trace } from '../trace.ts';

export type Caller = {
  readonly userId: string;
  readonly role: string;
  /** What the access token may be used for beside what the role allows. */
  readonly scopes: readonly string[];
};

type Call<Params, Query, Body> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly headers: HttpRequest['headers'];
  /** IP address, as far as the proxies in front can be trusted. */
  readonly clientAddress: string;
  readonly trace: Trace;
};

/** `body` is sent as JSON; `text` as it is, with the content-type in `headers`; without either the answer has no content. */
export type Reply = {
  readonly status: number;
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Id of the aggregate that the request was about, where its path could not name it. */
  readonly subject?: string;
};

type AnySchema = z.ZodMiniType;
type Shape<Params extends AnySchema, Query extends AnySchema, Body extends AnySchema> = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Such as `/v1/things/:thingId`. */
  readonly path: string;
  /** The parameter of the path that names the aggregate which the request is about, such as `thingId`. */
  readonly subject?: string;
  /** One line: what it does. */
  readonly summary: string;
  /** What a caller must know besides: headers of the answer, limits, meaning. */
  readonly details?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Media type → schema for the document, of a route that takes other than JSON; its handler checks the body itself. */
  readonly takes?: Readonly<Record<string, AnySchema>>;
  /** Request headers that mean something here. */
  readonly headers?: Readonly<Record<string, Header>>;
  /** Status of each good answer → schema of its JSON, media type when it is not JSON, or null when it has no content. */
  readonly answers: Readonly<Record<number, AnySchema | `text/${string}` | null>>;
};

export type Header = { readonly description: string; readonly required?: boolean };

/** A route as the server runs it: what comes in is not yet checked. */
export type Route = Shape<AnySchema, AnySchema, AnySchema> & {
  /** 'public', 'signed-in', or the role or the scope that it takes. */
  readonly access: string;
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
    body: shape.body ? validate(shape.body, raw.body, 'The body', 'invalid-body') : raw.body,
  }) as Call<z.infer<Params>, z.infer<Query>, z.infer<Body>>;

/** A route that anybody may call. */
export const publicRoute = <Params extends AnySchema, Query extends AnySchema, Body extends AnySchema>(
  shape: Shape<Params, Query, Body>,
  handle: (call: Call<z.infer<Params>, z.infer<Query>, z.infer<Body>>) => Promise<Reply>,
): Route => ({ ...shape, access: 'public', handle: (raw) => handle(checked(shape, raw)) });

/** `accessToken` is for calls in the caller's name to other services; it goes nowhere else. */
type SignedInCall = { readonly caller: Caller; readonly accessToken: string };

/** A route for those who are signed in; with a role or a scope, only for those who have it. */
export const callerRoute = <Params extends AnySchema, Query extends AnySchema, Body extends AnySchema>(
  shape: Shape<Params, Query, Body> & { readonly role?: string; readonly scope?: string },
  handle: (call: Call<z.infer<Params>, z.infer<Query>, z.infer<Body>> & SignedInCall) => Promise<Reply>,
): Route => ({
  ...shape,
  access: shape.scope ?? shape.role ?? 'signed-in',
  handle: async (raw, caller) => {
    if (!caller) throw noToken();
    if (shape.role && caller.role !== shape.role)
      throw new AppError('forbidden', 'wrong-role', `Only ${shape.role} may do this`);
    if (shape.scope && !caller.scopes.includes(shape.scope))
      throw new AppError('forbidden', 'insufficient-scope', `This takes an access token with scope ${shape.scope}`);
    return handle({ ...checked(shape, raw), caller, accessToken: bearerToken(raw.headers) });
  },
});

const noToken = (): AppError =>
  new AppError('unauthenticated', 'no-token', 'Send an access token: Authorization: Bearer <token>');

export function bearerToken(headers: HttpRequest['headers']): string {
  const [, token] = /^Bearer ([\w\-.~+/]+=*)$/i.exec(headers.authorization ?? '') ?? [];
  if (token) return token;
  throw noToken();
}

/** Throws `invalid` for a path that no route can be found by. */
export function parseUrl(raw: string | undefined): { path: string; query: object } {
  try {
    const { pathname, searchParams } = new URL(raw ?? '/', 'http://function');
    // A broken escape would otherwise be met in the router.
    decodeURIComponent(pathname);
    return { path: pathname, query: Object.fromEntries(searchParams) };
  } catch (error) {
    const slug = error instanceof URIError ? 'bad-request' : 'bad-path';
    throw invalid(slug, 'The path of the request cannot be read');
  }
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
    const allow = atPath.flatMap(({ route }) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
    throw methodNotAllowed(allow, `${path} takes ${allow.join(', ')}, not ${method}`);
  };
}
