/** Rules of lint about how KEDA reads lag from NATS: where, of which account, how often. Pure. */
import { eachTrigger, isNats, PLATFORM, RULE, type Rule } from './rule.ts';

/** Of one consumer in an answer of /jsz, as measured: 600 of them took 938 KB. */
const JSZ_BYTES_A_CONSUMER = 1_560;
const MOST_JSZ_BYTES_A_SECOND = 4_000_000;
const HPA_SYNC_S = 15;
const ACCOUNT_KEY = /^A[A-Z2-7]{55}$/;

function endpointFault(endpoint: string | undefined, given: readonly string[], copies: number): string | undefined {
  if (endpoint === undefined)
    return given.includes('natsServerMonitoringEndpoint') ? undefined : 'KEDA is not told where it reads lag';
  if (/^\w+:\/\//.test(endpoint)) return `'${endpoint}' has a scheme, and KEDA puts its own before it`;
  if (!/^[a-z0-9.-]+:\d+$/.test(endpoint)) return `'${endpoint}' is no host with a port`;
  if (endpoint.endsWith(':4222')) return `'${endpoint}' is where clients connect, not where lag is read`;
  if (copies > 1 && !endpoint.split('.')[0]?.endsWith('-headless'))
    return `'${endpoint}' reaches one server by chance, and only the leader of a consumer knows its lag`;
  return undefined;
}

export const endpoint: Rule = {
  level: 'error',
  file: PLATFORM,
  find: eachTrigger((_, trigger, { streams }) => {
    if (!isNats(trigger)) return undefined;
    const fault = endpointFault(
      trigger.endpoint,
      trigger.given,
      Math.max(1, ...streams.map(({ replicas }) => replicas)),
    );
    const fix = 'endpoint=nats-headless.nats.svc.cluster.local:8222 in the ConfigMap nats-monitoring';
    return fault ? { reason: fault, fix } : undefined;
  }),
};

export const account: Rule = {
  level: 'error',
  file: PLATFORM,
  find: eachTrigger((_, trigger, { jwt }) => {
    if (!isNats(trigger) || !jwt || trigger.account === undefined || ACCOUNT_KEY.test(trigger.account))
      return undefined;
    const reason = `'${trigger.account}' is the name of an account, and NATS with JWTs knows it by its public key: KEDA would read no lag`;
    return {
      reason,
      fix: 'account=A… (56 characters, as `nsc describe account` tells) in the ConfigMap nats-monitoring',
    };
  }),
};

export const polling: Rule = {
  level: 'warning',
  file: RULE,
  find: ({ functions, consumers }) => {
    const answer = consumers.length * JSZ_BYTES_A_CONSUMER;
    const loads = functions.map(({ name, rule, watched }) => {
      const lags = watched.filter(isNats);
      const asked = lags.map(({ cached }) => 1 / rule.pollingInterval + (cached ? 0 : 1 / HPA_SYNC_S));
      return { name, rate: asked.reduce((sum, one) => sum + one, 0) };
    });
    const rate = loads.reduce((sum, one) => sum + one.rate, 0);
    if (rate * answer <= MOST_JSZ_BYTES_A_SECOND) return [];
    const [busiest] = loads.toSorted((a, b) => b.rate - a.rate);
    const factor = Math.ceil((rate * answer) / MOST_JSZ_BYTES_A_SECOND);
    const reason =
      `KEDA asks /jsz ${Math.round(rate)} times a second, each time for all ${consumers.length} consumers: ` +
      `${Math.round((rate * answer) / 1e5) / 10} MB/s, more than ${MOST_JSZ_BYTES_A_SECOND / 1e6}`;
    const fix = `a pollingInterval ${factor} times as long (5 s does for most), and useCachedMetrics: true`;
    return [{ function: busiest?.name ?? '', reason, fix }];
  },
};
