/** A customer's client: the same request under the same key until it is answered, and every answer noted. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './snapshot.ts';

export type Request = {
  readonly key: string;
  /** Such as `orders` or `payments`. */
  readonly what: string;
  readonly path: string;
  readonly body: object;
  /** A new one when `renew`. */
  token(renew: boolean): Promise<string>;
};
export type Sent = { readonly status: number; readonly body: unknown };

/** Nobody knows yet what came of it, or nothing did. */
const AGAIN = new Set([202, 408, 425, 429, 500, 502, 503, 504]);
const PAUSE_MS = 400;
const TIMEOUT_MS = 15_000;

/** One try; undefined when there was no answer. */
export async function post(url: string, body: object, headers: Record<string, string>): Promise<Sent | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await response.text();
    return { status: response.status, body: answer === '' ? null : JSON.parse(answer) };
  } catch {
    return undefined;
  }
}

/** Tries until `settles`; undefined when `signal` ends it. */
export async function persist(
  attempt: () => Promise<Sent | undefined>,
  settles: (sent: Sent) => boolean,
  signal: AbortSignal,
): Promise<Sent | undefined> {
  while (!signal.aborted) {
    const sent = await attempt();
    if (sent && settles(sent)) return sent;
    await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

export type Client = {
  /** The answer, or undefined when there was none until the end. */
  send(request: Request): Promise<Answer | undefined>;
  readonly answers: readonly Answer[];
  /** Keys of requests that have no answer yet. */
  unanswered(): readonly string[];
  /** How often the shop answered with 500: its own fault, though nothing need be lost. */
  internalErrors(): readonly string[];
};

export function openClient(http: string, signal: AbortSignal): Client {
  const answers: Answer[] = [];
  const open = new Set<Request>();
  const internal: string[] = [];
  return {
    answers,
    unanswered: () => [...new Set([...open].map(({ key }) => key))],
    internalErrors: () => internal,
    async send(request) {
      const { key, what, path, body, token } = request;
      const sentAt = Date.now();
      const own = { ...request };
      let renew = false;
      open.add(own);
      const attempt = async (): Promise<Sent | undefined> => {
        const headers = { authorization: `Bearer ${await token(renew)}`, 'idempotency-key': key };
        const sent = await post(`${http}${path}`, body, headers);
        renew = sent?.status === 401;
        if (sent?.status === 500) internal.push(`${what}: ${JSON.stringify(sent.body)}`);
        return sent;
      };
      const sent = await persist(attempt, ({ status }) => status !== 401 && !AGAIN.has(status), signal);
      if (!sent) return undefined;
      const answer = { key, what, ...sent, sentAt, answeredAt: Date.now() };
      answers.push(answer);
      open.delete(own);
      return answer;
    },
  };
}
