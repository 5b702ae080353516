/** One attempt: POST to a URL that anybody of the staff may have written → what came of it. It never throws. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { toAppError } from '../../runtime/errors.ts';
import { inSpan } from '../../runtime/trace.ts';
import { type Allowed, guardedLookup, targetFault } from '../webhook-target.ts';
import { openDns } from './dns.ts';
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
type Means = { readonly lookup: ReturnType<typeof guardedLookup>; readonly timeoutMs: number };

function exchange(url: URL, headers: Readonly<Record<string, string>>, body: string, means: Means): Promise<Answer> {
  const { lookup, timeoutMs } = means;
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve) => {
    let answer: Answer = { reason: 'the connection was closed without an answer' };
    // A new connection each time: the host of a kept one could have moved.
    const signal = AbortSignal.timeout(timeoutMs);
    const options = { method: 'POST', headers, lookup, agent: false, rejectUnauthorized: true, signal } as const;
    const sent = request(url, options, (response) => {
      const { statusCode: status = 0, headers: answered } = response;
      answer = { status, reason: reasonOfStatus(status), retryAfter: answered['retry-after'] };
      let read = 0;
      response.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read > MOST_READ) response.destroy();
      });
      response.on('error', () => undefined);
    });
    sent.on('error', (error) => {
      if (answer.status === undefined) answer = { reason: reasonOf(error, timeoutMs) };
    });
    sent.once('close', () => resolve(answer));
    sent.end(body);
  });
}

export type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<Answer>;

/** The URL may have been stored when others were allowed, so it is checked again. */
export const openPost =
  (
    allowed: Allowed,
    { lookup = guardedLookup(allowed, openDns()), timeoutMs = TIMEOUT_MS }: Partial<Means> = {},
  ): Post =>
  async (text, headers, body) => {
    if (targetFault(text, allowed)) return { reason: 'the URL is not allowed' };
    const url = new URL(text);
    const attributes = { 'http.request.method': 'POST', 'server.address': url.hostname };
    return inSpan('POST', { kind: 'client', attributes }, async (span) => {
      const length = { 'content-length': String(Buffer.byteLength(body)) };
      const answer = await exchange(url, { ...headers, ...length }, body, { lookup, timeoutMs });
      if (answer.status !== undefined) span.add({ 'http.response.status_code': answer.status });
      if (answer.status === undefined || answer.status >= 300) span.fail(answer.status ? 'refused' : 'no-answer');
      return answer;
    });
  };
