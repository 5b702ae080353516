/** The whole shop for a test file, and a client that speaks to its gateway. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inject } from 'vitest';
import type { Rule } from '../../scripts/manifests/rules.ts';
import { ANY_PORTS, type Platform, type PlatformOptions, startPlatform } from '../../scripts/platform/platform.ts';
import type { FunctionState } from '../../scripts/platform/scaling/scaler.ts';
import { pathsOf } from '../../scripts/platform/servers/data-folder.ts';
import { dataDirFor } from '../../scripts/platform/servers/postgres/postgres.ts';
import { readDefinitions } from '../../scripts/registry/functions.ts';
import { type Bundle, buildFunctions } from '../../scripts/ship/build.ts';
import { application } from '../../scripts/shop/demo/application.ts';
import type { Demo } from '../../scripts/shop/demo/seed.ts';
import { checkAnswer } from './contract.ts';
import { ANSWERED, leaks, type Planted, plant, plantMails, SENT } from './leaks.ts';

export type Answer<Body> = { readonly status: number; readonly headers: Headers; readonly body: Body };

// biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape of what it gets.
type Json = any;

export type Shop = Platform<Demo> & {
  readonly dataDir: string;
  /** Throws when the answer is not as the shop's OpenAPI document says. */
  call(
    method: string,
    path: string,
    options?: { token?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer<Json>>;
  /** A new customer's access token. */
  signUp(): Promise<string>;
  signIn(account: { email: string; password: string }): Promise<string>;
  functionState(name: string): Promise<FunctionState>;
  /** What its logs, traces and metrics tell of what was sent to it or answered by it, and must not. */
  leaks(): Promise<readonly string[]>;
};

/** What NATS did not let somebody do: the keys of the shop must let all do their work. */
const refusals = (logs: string): string[] =>
  readFileSync(path.join(logs, 'nats-server.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('Violation'));

let customers = 0;

/** A function sleeps 3 s after its last work: what one waits for who wants to see it asleep. */
export const sleepsSoon = (rule: Rule): Rule =>
  rule.scaledBy === 'keda' ? { ...rule, cooldownSeconds: 3, scaleDownStabilizationSeconds: 3 } : rule;

/** The bundles of this run, built once for all test files; undefined where none are: then the platform builds its own. */
async function builtBefore(): Promise<Bundle[] | undefined> {
  const bundles = inject('bundles');
  if (!bundles) return undefined;
  const settings = new Map((await readDefinitions()).map((one) => [one.name, one.settings]));
  return bundles.map((bundle) => ({ ...bundle, settings: settings.get(bundle.name) ?? {} }));
}

/** A shop with an empty folder, or with that of one that was stopped. `stop` keeps the folder, `end` does not. */
export async function startShop(
  environment: Readonly<Record<string, string>> = {},
  before?: Pick<Shop, 'dataDir'>,
  more: Pick<PlatformOptions, 'ports' | 'ruleOf'> = { ports: ANY_PORTS },
): Promise<Shop & { end(): Promise<void> }> {
  const dataDir = before?.dataDir ?? (await mkdtemp(path.join(os.tmpdir(), 'millrace-shop-')));
  // All customers of a test come from one address.
  const many = { SIGN_UPS_PER_ADDRESS: '1000' };
  const build = async () => (await builtBefore()) ?? buildFunctions();
  const options = { dataDir, build, environment: { ...many, ...environment }, ...more };
  const platform = await startPlatform(application, options);

  const planted: Planted = new Map();
  plant(planted, platform.demo, SENT);

  const call: Shop['call'] = async (method, at, { token, body, headers = {} } = {}) => {
    const response = await fetch(`${platform.endpoints.http}${at}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const media = response.headers.get('content-type');
    const answer = text && /json\b/.test(media ?? '') ? JSON.parse(text) : text || undefined;
    checkAnswer(method, at, response.status, media, answer);
    plant(planted, body, SENT);
    if (at.startsWith('/v1/')) plant(planted, answer, ANSWERED);
    if (at === '/_local/mail' && Array.isArray(answer)) plantMails(planted, answer);
    return { status: response.status, headers: response.headers, body: answer };
  };

  const signIn: Shop['signIn'] = async (account) =>
    (await call('POST', '/v1/sessions', { body: account })).body.accessToken;

  const findLeaks = async (): Promise<readonly string[]> => {
    const metrics = await fetch(`${platform.endpoints.http}/_local/metrics`).then(
      (answer) => answer.text(),
      () => '',
    );
    return leaks(pathsOf(dataDir), planted, metrics);
  };

  return {
    ...platform,
    dataDir,
    call,
    signIn,
    leaks: findLeaks,
    async signUp() {
      customers += 1;
      const account = { email: `customer${customers}@example.com`, password: 'a long enough password' };
      await call('POST', '/v1/users', { body: account });
      return signIn(account);
    },
    async functionState(name) {
      const { body } = await call('GET', '/_local/functions');
      return body.find((state: FunctionState) => state.name === name);
    },
    async end() {
      const leaked = await findLeaks();
      const stopped = await platform.stop();
      const problems = [...stopped, ...refusals(platform.logs), ...new Set([...leaked, ...(await findLeaks())])];
      await rm(dataDirFor(path.join(dataDir, 'postgres')), { recursive: true, force: true });
      await rm(dataDir, { recursive: true, force: true });
      if (problems.length > 0) throw new Error(`The shop did not stop cleanly: ${problems.join('; ')}`);
    },
  };
}
