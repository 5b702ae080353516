/** A request to the JetStream API → its answer, or the error in it. */

import { AppError, unavailable } from '../errors.ts';
import type { NatsConnection } from './client.ts';

const TIMEOUT_MS = 5_000;

type ApiAnswer = { readonly code: number; readonly err_code: number; readonly description: string };

/** From 500 on the server cannot do it now: its disk is full, say. */
export const apiError = (path: string, { code, err_code, description }: ApiAnswer): AppError =>
  code >= 500
    ? unavailable('nats-unavailable', `JetStream cannot do ${path}: ${description}`)
    : new AppError('internal', `jetstream-${err_code}`, `JetStream refused ${path}: ${description}`);

export async function jetstreamApi<T>(connection: NatsConnection, path: string, body?: object): Promise<T> {
  let answer: T & { error?: ApiAnswer };
  try {
    const reply = await connection.request(`$JS.API.${path}`, body ? JSON.stringify(body) : '', {
      timeout: TIMEOUT_MS,
    });
    answer = reply.json();
  } catch (error) {
    throw unavailable('nats-unavailable', `JetStream did not answer ${path}`, error);
  }
  if (answer.error) throw apiError(path, answer.error);
  return answer;
}
