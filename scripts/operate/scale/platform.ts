/** The shop that npm start runs → the state of its functions, and what they have counted. */

import { type Environment, localUrl, UsageError } from '../../cli/cli.ts';
import type { FunctionState } from '../../platform/scaling/scaler.ts';
import type { Point } from '../../platform/telemetry/points.ts';

export type Shop = {
  functions(): Promise<readonly FunctionState[]>;
  points(): Promise<readonly Point[]>;
};

const TIMEOUT_MS = 5_000;

/** Throws UsageError when no shop is named and none runs. */
export function readShop(given: string | undefined, environment: Environment): Shop {
  if (given !== undefined && !(URL.canParse(given) && /^https?:\/\//.test(given)))
    throw new UsageError('--url must be a URL such as http://127.0.0.1:8080');
  const base = (given ?? localUrl('http', 'shop', '--url', environment)).replace(/\/+$/, '');
  const ask = async (path: string): Promise<unknown> => {
    const url = `${base}${path}`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: Error) => {
      throw new Error(`${url} does not answer: ${error.cause instanceof Error ? error.cause.message : error.message}`);
    });
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
    return answer.json();
  };
  return {
    functions: async () => (await ask('/_local/functions')) as FunctionState[],
    points: async () => ((await ask('/_local/metrics')) as { points: Point[] }).points,
  };
}
