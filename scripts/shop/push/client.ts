/** A POST to a shop → its answer in JSON, or an Error that says what the shop says is wrong. */
import * as z from 'zod/mini';

/** Longer than a shop takes for any answer. */
const TIMEOUT_MS = 45_000;

const session = z.object({ accessToken: z.string() });
const problem = z.object({ status: z.number(), slug: z.string(), detail: z.string(), traceId: z.string() });

const causeOf = (error: unknown): string => {
  const { cause } = error as { cause?: unknown };
  return String((cause instanceof Error && cause.message) || (error instanceof Error && error.message) || error);
};

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    // A redirect could take the token elsewhere.
    return await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new Error(`${new URL(url).origin} gave no answer (${causeOf(error)}); try again, nothing is done twice`);
  }
}

export async function post(
  shop: string,
  path: string,
  media: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const response = await send(`${shop.replace(/\/$/, '')}${path}`, {
    method: 'POST',
    headers: { 'content-type': media, ...headers },
    body,
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  const { success, data } = z.safeParse(problem, jsonOf(text));
  if (!success) throw new Error(`The shop answered ${response.status} without saying why`);
  throw new Error(`The shop answered ${data.status} ${data.slug}: ${data.detail} (trace ${data.traceId})`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export async function signIn(shop: string, account: { readonly email: string; readonly password: string }) {
  const answer = await post(shop, '/v1/sessions', 'application/json', JSON.stringify(account));
  return session.parse(answer).accessToken;
}
