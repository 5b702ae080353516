/** Headers that both APIs understand: how long to wait, which version is meant, and under which name to try again. Pure. */
import { invalid } from '../runtime/errors.ts';
import type { Header } from '../runtime/http.ts';

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

const DEFAULT_WAIT_SECONDS = 5;
/** Less than a drain may take: who waits is answered before the process ends. */
export const MAX_WAIT_SECONDS = 20;

/** What the headers mean, for the API's document. */
export const HEADERS = {
  idempotencyKey: {
    'Idempotency-Key': {
      description:
        'A name for this request, 1 to 255 visible ASCII characters: new for each request, the same for each try of it. ' +
        'A repeat changes nothing and gets the same answer.',
      required: true,
    },
  },
  optionalIdempotencyKey: {
    'Idempotency-Key': {
      description:
        'A name for this request, 1 to 255 visible ASCII characters: new for each request, the same for each try of it. ' +
        'A repeat changes nothing and gets the same answer. Take a random one.',
    },
  },
  prefer: {
    Prefer: {
      description: `wait=N: wait at most N seconds (default ${DEFAULT_WAIT_SECONDS}, at most ${MAX_WAIT_SECONDS}).`,
    },
  },
  expectedVersion: {
    'If-Match': {
      description: 'The ETag that you have seen, such as "v3": 412 without effect when the order has changed since.',
    },
  },
  minimumVersion: {
    'If-Match': {
      description:
        'The ETag of a write, such as "v3": the answer shows that version or a newer one. Unlike in RFC 9110, a newer ' +
        'version matches too: it has seen the write.',
    },
  },
  ifNoneMatch: {
    'If-None-Match': { description: 'The ETag of what you have: 304 without content when it is still that.' },
  },
} as const satisfies Record<string, Readonly<Record<string, Header>>>;

/** The Idempotency-Key of a request: 1 to 255 visible characters. */
export function idempotencyKey(headers: Headers): string {
  const key = headers['idempotency-key'];
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const message = 'must be 1 to 255 visible ASCII characters, new for each request, the same for each try';
  throw invalid('no-idempotency-key', `Send the header Idempotency-Key; it ${message}`, [
    { field: 'Idempotency-Key', message },
  ]);
}

/** As `idempotencyKey`; undefined when the header is not there. */
export const optionalIdempotencyKey = (headers: Headers): string | undefined =>
  headers['idempotency-key'] === undefined ? undefined : idempotencyKey(headers);

/** Milliseconds of `Prefer: wait=N` (RFC 7240); undefined when it is not there or makes no sense. */
export function preferredWaitMs(headers: Headers): number | undefined {
  const [, seconds] = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/i.exec(String(headers.prefer ?? '')) ?? [];
  return seconds === undefined ? undefined : Math.min(Number(seconds), MAX_WAIT_SECONDS) * 1_000;
}

/** As preferred, or the default. */
export const waitMs = (headers: Headers): number => preferredWaitMs(headers) ?? DEFAULT_WAIT_SECONDS * 1_000;

/** The ETag of an order at its version. */
export const etagOf = ({ version }: { readonly version: number }): string => `"v${version}"`;

/** The version that `If-Match` names; undefined when it is not there, or any will do. */
export function versionOfIfMatch(headers: Headers): number | undefined {
  const header = headers['if-match'];
  if (header === undefined || header === '*') return undefined;
  const [, version] = /^(?:W\/)?"v([1-9]\d{0,8})"$/.exec(String(header).trim()) ?? [];
  if (version) return Number(version);
  const message = 'must be the ETag of an order, such as "v3", with its quotes';
  throw invalid('invalid-if-match', `If-Match ${message}`, [{ field: 'If-Match', message }]);
}

/** Whether `If-None-Match` (a list of ETags, or `*`) names this ETag; weak ones count. */
export function hasSeen(headers: Headers, etag: string): boolean {
  const seen = String(headers['if-none-match'] ?? '')
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''));
  return seen.includes(etag) || seen.includes('*');
}
