/** One guarded HTTP request → its answer: no redirects, no proxy, no kept connection, and no more of the body than is wanted. */
import { type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { invalid, unavailable } from '../errors.ts';
import { inSpan } from '../trace.ts';
import { openDns } from './dns.ts';
import { type Allowed, guardedLookup, isTrusted, urlFault } from './public-address.ts';

/** `fetch`'s words. */
export type Request = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};
export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body is not all of it: it was longer than wanted, or the connection broke. */
  readonly cut: boolean;
};

type Limits = {
  /** Of the answer's body. */
  readonly mostBytes: number;
  /** Tests have their own. */
  readonly lookup?: LookupFunction;
};
/** Throws `invalid-url` for a URL that is not allowed, `forbidden-target`, `no-answer`, or an error with the code of the system or of TLS. */
export type Exchange = (url: string, request: Request, signal: AbortSignal) => Promise<Answer>;

type Sending = Limits & { readonly signal: AbortSignal };

function send(
  url: URL,
  { method = 'GET', headers = {}, body = '' }: Request,
  { mostBytes, lookup, signal }: Sending,
): Promise<Answer> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const length = method === 'GET' || method === 'HEAD' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    let answered: { readonly status: number; readonly headers: IncomingHttpHeaders } | undefined;
    let [read, complete] = [0, false];
    const chunks: Buffer[] = [];
    // A new connection each time: the host of a kept one could have moved.
    const options = {
      method,
      headers: { ...headers, ...length },
      ...(lookup ? { lookup } : {}),
      agent: false,
      rejectUnauthorized: true,
      signal,
    } as const;
    const sent = request(url, options, (response) => {
      answered = { status: response.statusCode ?? 0, headers: response.headers };
      response.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read > mostBytes) return response.destroy();
        chunks.push(chunk);
      });
      response.on('end', () => {
        complete = true;
      });
      response.on('error', () => undefined);
    });
    sent.on('error', (error) => {
      if (!answered) reject(error);
    });
    sent.once('close', () => {
      if (answered) return resolve({ ...answered, body: Buffer.concat(chunks), cut: !complete || read > mostBytes });
      reject(unavailable('no-answer', 'The connection was closed without an answer'));
    });
    sent.end(body);
  });
}

/** A span each, named after its method. */
export function openExchange(
  allowed: Allowed,
  { mostBytes, lookup = guardedLookup(allowed, openDns()) }: Limits,
): Exchange {
  return async (text, request, signal) => {
    const fault = urlFault(text, allowed);
    if (fault) throw invalid('invalid-url', `The URL ${fault}`);
    const url = new URL(text);
    const { method = 'GET' } = request;
    const attributes = { 'http.request.method': method, 'server.address': url.hostname };
    const limits = isTrusted(url, allowed) ? { mostBytes, signal } : { mostBytes, signal, lookup };
    const ended = await inSpan(method, { kind: 'client', attributes }, async (span) => {
      try {
        const answer = await send(url, request, limits);
        span.add({ 'http.response.status_code': answer.status });
        if (answer.status >= 300) span.fail('refused');
        return { answer };
      } catch (error) {
        span.fail('no-answer');
        return { error };
      }
    });
    if ('error' in ended) throw ended.error;
    return ended.answer;
  };
}
