/** One attempt: POST to a URL that anybody of the staff may have written → what came of it. It never throws. */
import { toAppError } from '../../runtime/errors.ts';
import { openExchange } from '../../runtime/outbound.ts';
import { type AllowedTarget, allowedFor } from '../webhook-target.ts';
import type { Answer } from './outcome.ts';

const TIMEOUT_MS = 10_000;
/** Of the answer's body, which is for nobody: a receiver that is cut off while it writes may think that it failed. */
const MOST_READ = 1_024;

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'the host is not known',
  EAI_AGAIN: 'DNS does not answer',
  'forbidden-target': 'the host has an address that is not public',
  'invalid-url': 'the URL is not allowed',
  'no-answer': 'the connection was closed without an answer',
};

/** A word of ours, or the code of the system or of TLS; never a message, which may hold the URL. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && /^(AbortError|TimeoutError)$/.test(error.name))
    return `no answer within ${timeoutMs / 1_000} s`;
  const { code } = error as { code?: unknown };
  const word = typeof code === 'string' && /^[A-Z0-9_]{3,60}$/.test(code) ? code : toAppError(error).slug;
  return WORDS[word] ?? `not sent: ${word}`;
}

const reasonOfStatus = (status: number): string =>
  status >= 300 && status < 400 ? `answered ${status}: redirects are not followed` : `answered ${status}`;

/** Tests have their own. */
type Means = Partial<Parameters<typeof openExchange>[1]> & { readonly timeoutMs?: number };

export type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<Answer>;

/** The URL may have been stored when others were allowed, so it is checked again. */
export function openPost(allowed: AllowedTarget, { timeoutMs = TIMEOUT_MS, ...means }: Means = {}): Post {
  const exchange = openExchange(allowedFor(allowed), { ...means, mostBytes: MOST_READ });
  return async (url, headers, body) => {
    try {
      const request = { method: 'POST', headers, body };
      const { status, headers: answered } = await exchange(url, request, AbortSignal.timeout(timeoutMs));
      return { status, reason: reasonOfStatus(status), retryAfter: answered['retry-after'] };
    } catch (error) {
      return { reason: reasonOf(error, timeoutMs) };
    }
  };
}
