/** One request, sent once to one replica: its answer is streamed back, or what became of it is told. */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';

/** A request whose body has been read; it may be sent more than once. */
export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly traceId: string;
};
/** `unsent`: the replica got nothing of it. `died`: it may have begun with it. `late`: no answer began in time. */
export type Outcome = 'answered' | 'unsent' | 'died' | 'late';
export type Limits = { readonly responseStartMs: number; readonly totalMs: number };

const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** Connections to replicas, kept for the next requests. */
export const openConnections = (): Agent => new Agent({ keepAlive: true, maxFreeSockets: 256 });

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept = { ...headers };
  for (const name of HOP_BY_HOP) delete kept[name];
  return kept;
}

function headersFor({ request: incoming, body }: Exchange): IncomingHttpHeaders {
  const { expect: _, ...received } = endToEnd(incoming.headers);
  // Nothing is in front of it: what the client says of itself is made up, and it may share its address with the proxy.
  const headers = { ...received, 'x-forwarded-for': incoming.socket.remoteAddress ?? '' };
  const framed = 'content-length' in headers || body.length > 0;
  return framed ? { ...headers, 'content-length': String(body.length) } : headers;
}

export function forward(agent: Agent, port: number, exchange: Exchange, limits: Limits): Promise<Outcome> {
  const { request: incoming, response, body } = exchange;
  return new Promise((resolve) => {
    let outcome: Outcome = 'died';
    const outgoing = request({
      host: '127.0.0.1',
      port,
      agent,
      method: incoming.method,
      path: incoming.url,
      headers: headersFor(exchange),
    });
    const started = setTimeout(() => {
      outcome = 'late';
      outgoing.destroy();
    }, limits.responseStartMs);
    const whole = setTimeout(() => outgoing.destroy(), limits.totalMs);
    const abandon = (): void => void outgoing.destroy();
    response.once('close', abandon);

    outgoing.once('response', (answer) => {
      clearTimeout(started);
      outcome = 'answered';
      response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
      answer.pipe(response);
      // Cut off in the middle: so is the client's, for a part must not look like the whole.
      answer.once('error', () => response.destroy());
    });
    outgoing.once('error', (error: NodeJS.ErrnoException) => {
      if (outcome === 'died' && error.code === 'ECONNREFUSED') outcome = 'unsent';
    });
    outgoing.once('close', () => {
      clearTimeout(started);
      clearTimeout(whole);
      response.off('close', abandon);
      resolve(outcome);
    });
    outgoing.end(body);
  });
}
