/** HTTP calls to others' servers, as `fetch` makes them: only where the function may go, bounded, tried again, rejected while they fail. */
import { openCallPolicy } from './call-policy.ts';
import { AppError, invalid, unavailable } from './errors.ts';
import type { Shell } from './function.ts';
import { type Answer, openExchange, type Request } from './http/exchange.ts';
import type { Allowed } from './http/public-address.ts';
import { retryAfterMs } from './http/retry-after.ts';

export { type Answer, openExchange } from './http/exchange.ts';
export { type Allowed, urlFault } from './http/public-address.ts';
export { retryAfterMs } from './http/retry-after.ts';

type OutboundOptions = Allowed & {
  /** In slugs, messages and metrics, such as `sms`. */
  readonly name: string;
  /** An address that the operator has set: it is called wherever it is, by http too; requests name paths below it. */
  readonly base?: string;
  /** Of a call in all, its retries included; 10 s unless told. */
  readonly timeoutMs?: number;
  /** 2 for a method that may be sent twice, none for others, such as POST, unless told. */
  readonly retries?: number;
  readonly inFlight?: number;
  /** How long the breaker stays open after failures. */
  readonly halfOpenAfterMs?: number;
  /** Of an answer's body; 1 MB unless told. */
  readonly mostBytes?: number;
};

/** The answer to a call that succeeded. */
export type OutboundAnswer = Pick<Answer, 'status' | 'headers'> & {
  readonly text: string;
  /** Throws `<name>-unavailable` when it is not JSON: something else has answered. */
  json(): unknown;
};

/**
 * Throws `<name>-unavailable` when there is no answer, or one of 408, 429 or 5xx, with the time that it asks to wait;
 * `<name>-refused`, which is `invalid`, for any other that is no success, `<name>-forbidden` for a URL that may not be called.
 */
export type OutboundRequest = (url: string, request?: Request) => Promise<OutboundAnswer>;

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 1_000_000;
const REPEATABLE = ['GET', 'HEAD', 'PUT', 'DELETE'];
const AGAIN = [408, 429];

function baseOf(base: string): { readonly url: URL; readonly allowed: Allowed } {
  const url = new URL(base);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  return { url, allowed: { hosts: [{ host: url.hostname, ports: [port] }], http: true } };
}

/** A call's URL; one that leads out of the base is none. */
function below(base: URL, path: string): string {
  const url = new URL(path.replace(/^\//, ''), base);
  if (url.origin === base.origin && url.pathname.startsWith(base.pathname)) return url.href;
  throw invalid('invalid-url', `The path leads out of ${base.origin}${base.pathname}`);
}

/** What was thrown, in the words of who is called. */
function explain(name: string, error: unknown): AppError {
  if (error instanceof AppError && error.code === 'invalid')
    return invalid(`${name}-forbidden`, `'${name}' may not be called there: ${error.message}`);
  const { code: why = 'no answer' } = error instanceof AppError ? { code: error.slug } : (error as { code?: unknown });
  return unavailable(`${name}-unavailable`, `'${name}' does not answer: ${why}`, error);
}

type Answered = Answer & { readonly host: string };

function check(name: string, { host, status, headers, body, cut }: Answered): OutboundAnswer {
  const said = `'${name}' at ${host} answered ${status}`;
  if (AGAIN.includes(status) || status >= 500) {
    const wait = retryAfterMs(headers['retry-after'], Date.now());
    throw new AppError('unavailable', `${name}-unavailable`, said, wait === undefined ? {} : { retryAfterMs: wait });
  }
  if (status >= 300 && status < 400) throw invalid(`${name}-refused`, `${said}: redirects are not followed`);
  if (status >= 400) throw invalid(`${name}-refused`, said);
  if (cut) throw unavailable(`${name}-unavailable`, `${said}, with a body that is cut off or too long`);
  const text = body.toString();
  return {
    status,
    headers,
    text,
    json() {
      try {
        return JSON.parse(text);
      } catch (error) {
        throw unavailable(`${name}-unavailable`, `${said}, but not with JSON`, error);
      }
    },
  };
}

/** Opens calls to one who is called: `const { request } = outbound(shell, { name: 'sms', base: shell.settings.GATEWAY_URL })`. */
export function outbound(shell: Pick<Shell, 'log'>, options: OutboundOptions): { readonly request: OutboundRequest } {
  const { name, base, timeoutMs = TIMEOUT_MS, mostBytes = MOST_BYTES, retries } = options;
  const root = base === undefined ? undefined : baseOf(base);
  const exchange = openExchange({ ...options, ...root?.allowed }, { mostBytes });
  const policy = openCallPolicy(shell, { ...options, timeoutMs });
  const call = async (url: string, wanted: Request, signal: AbortSignal): Promise<Answered> => {
    const target = root ? below(root.url, url) : url;
    return { ...(await exchange(target, wanted, signal)), host: new URL(target).host };
  };
  return {
    request(url, wanted = {}) {
      const repeatable = REPEATABLE.includes(wanted.method ?? 'GET');
      const bounds = retries === undefined && !repeatable ? { retries: 0 } : {};
      return policy.run(async ({ signal }) => {
        const answer = await call(url, wanted, signal).catch((error) => {
          throw explain(name, error);
        });
        return check(name, answer);
      }, bounds);
    },
  };
}
