/** Facts → findings: each rule is a small function, and RULES is the table of them. Pure. */
import { WORKING_EVERY_MS, WORKING_FOR_MS } from '../../../functions/runtime/lane.ts';
import { isGoDuration, nanoseconds } from '../../local/go-duration.ts';
import type { EventFunction, Facts, Watched } from './facts.ts';

/** `function` is whose manifests have it, `file` which of them. */
export type Finding = {
  readonly rule: string;
  readonly level: 'error' | 'warning';
  readonly function: string;
  readonly file: string;
  readonly reason: string;
  readonly fix: string;
};
type Found = Pick<Finding, 'function' | 'reason' | 'fix'>;
type Rule = {
  readonly level: Finding['level'];
  /** In which the fault is, in the folder of the function unless it is a path. */
  readonly file: string;
  find(facts: Facts): readonly Found[];
};

const RULE = 'scaledobject.yaml';
const CONSUMER = 'consumer.yaml';
/** One signal that a handler is at work may be lost, and the next be late. */
const LEAST_ACK_WAIT_S = (2.5 * WORKING_EVERY_MS) / 1_000;
const LONGEST_HANDLER_S = WORKING_FOR_MS / 1_000;
/** queue-proxy takes 30 s of it before the function is told to end, which then needs some. */
const LEAST_HTTP_TIMEOUT_S = 45;
/** Of one consumer in an answer of /jsz, as measured: 600 of them took 938 KB. */
const JSZ_BYTES_A_CONSUMER = 1_560;
const MOST_JSZ_BYTES_A_SECOND = 4_000_000;
const HPA_SYNC_S = 15;
const ACCOUNT_KEY = /^A[A-Z2-7]{55}$/;

const eachTrigger =
  (find: (fn: EventFunction, trigger: Watched, facts: Facts) => Omit<Found, 'function'> | undefined) =>
  (facts: Facts): Found[] =>
    facts.functions.flatMap((fn) =>
      fn.watched.flatMap((trigger) => {
        const found = find(fn, trigger, facts);
        return found ? [{ function: fn.name, ...found }] : [];
      }),
    );

const eachFunction =
  (find: (fn: EventFunction, facts: Facts) => Omit<Found, 'function'> | undefined) =>
  (facts: Facts): Found[] =>
    facts.functions.flatMap((fn) => {
      const found = find(fn, facts);
      return found ? [{ function: fn.name, ...found }] : [];
    });

const isNats = ({ type }: Watched): boolean => type === 'nats-jetstream';
const consumerOf = ({ stream, consumer }: Watched, { consumers }: Facts) =>
  consumers.find((one) => one.name === consumer && one.stream === stream);
const ownerOf = (name: string): string => name.replace(/-retries$/, '');
const seconds = (duration: string | undefined): number =>
  duration !== undefined && isGoDuration(duration) ? nanoseconds(duration) / 1e9 : 0;

const activation: Rule = {
  level: 'error',
  file: RULE,
  find: eachTrigger((_, { activation, consumer, type }) =>
    activation === 0
      ? undefined
      : {
          reason: `it stays asleep while the lag of ${consumer ?? type} is ${activation} or less: so many messages are stranded`,
          fix: `${type === 'postgresql' ? 'activationTargetQueryValue' : 'activationLagThreshold'}: "0"`,
        },
  ),
};

const threshold: Rule = {
  level: 'error',
  file: RULE,
  find: eachTrigger((_, trigger) => {
    const { threshold, inFlight, consumer } = trigger;
    if (!isNats(trigger) || threshold > inFlight) return undefined;
    const reason =
      `lagThreshold of ${consumer} is ${threshold}, and one replica has ${inFlight} messages in work, which are lag too: ` +
      'a replica with enough to do asks for another one';
    return { reason, fix: `lagThreshold: "${2 * inFlight}", or anything above ${inFlight}` };
  }),
};

const ackPending: Rule = {
  level: 'error',
  file: CONSUMER,
  find: eachTrigger(({ rule }, trigger, facts) => {
    const consumer = consumerOf(trigger, facts);
    const wanted = rule.maxReplicaCount * trigger.inFlight;
    if (!consumer || consumer.maxAckPending < 0 || consumer.maxAckPending >= wanted) return undefined;
    const enough = Math.floor(consumer.maxAckPending / trigger.inFlight);
    const reason =
      `maxAckPending of ${consumer.name} is ${consumer.maxAckPending}: ` +
      `${enough === 0 ? 'less than one replica can' : `no more than ${enough} of ${rule.maxReplicaCount} replicas can`} be at work`;
    return { reason, fix: `maxAckPending: ${wanted} (${rule.maxReplicaCount} replicas with ${trigger.inFlight} each)` };
  }),
};

const ackWait: Rule = {
  level: 'error',
  file: CONSUMER,
  find: ({ consumers, functions }) =>
    consumers.flatMap(({ name, ackWait }) => {
      if (seconds(ackWait) >= LEAST_ACK_WAIT_S) return [];
      const p99 = functions.find((fn) => fn.name === ownerOf(name))?.handlerSeconds;
      const longer = p99 !== undefined && p99 > seconds(ackWait) ? `, and its handler takes up to ${p99} s` : '';
      const reason =
        `ackWait of ${name} is ${ackWait ?? '1ns, which NACK takes where there is none'}${longer}: a function says every ` +
        `${WORKING_EVERY_MS / 1_000} s that it is at work, so messages in work are given to a second replica`;
      return [{ function: ownerOf(name), reason, fix: 'ackWait: 30s' }];
    }),
};

const handler: Rule = {
  level: 'error',
  file: 'function.ts',
  find: eachFunction(({ handlerSeconds }) =>
    handlerSeconds === undefined || handlerSeconds <= LONGEST_HANDLER_S
      ? undefined
      : {
          reason: `one of 100 calls of its handler takes over ${handlerSeconds} s, and after ${LONGEST_HANDLER_S} s somebody else gets the message`,
          fix: 'do less in one message, or split it into several',
        },
  ),
};

const cooldown: Rule = {
  level: 'warning',
  file: RULE,
  find: eachFunction(({ rule, handlerSeconds = 0 }) => {
    const { cooldownPeriod, pollingInterval, minReplicaCount } = rule;
    const longest = Math.max(pollingInterval, handlerSeconds);
    if (minReplicaCount > 0 || cooldownPeriod > longest) return undefined;
    const what = handlerSeconds > pollingInterval ? 'its handler may take' : 'lie between two polls';
    const reason = `cooldownPeriod is ${cooldownPeriod} s, no more than the ${longest} s that ${what}: it starts anew for almost every message`;
    return { reason, fix: `cooldownPeriod: ${Math.ceil(4 * longest)} or more` };
  }),
};

const grace: Rule = {
  level: 'error',
  file: 'knative/base/event-function/deployment.yaml',
  find: eachFunction(({ graceSeconds, drainSeconds }) =>
    graceSeconds === undefined || graceSeconds > drainSeconds
      ? undefined
      : {
          reason: `terminationGracePeriodSeconds is ${graceSeconds}, and it may take ${drainSeconds} s to finish what it has: it is killed meanwhile`,
          fix: `terminationGracePeriodSeconds: ${drainSeconds + 20}, or a smaller DRAIN_SECONDS`,
        },
  ),
};

const httpGrace: Rule = {
  level: 'error',
  file: 'service.yaml',
  find: ({ http }) =>
    http
      .filter(({ timeoutSeconds }) => timeoutSeconds < LEAST_HTTP_TIMEOUT_S)
      .map(({ name, timeoutSeconds }) => ({
        function: name,
        reason: `timeoutSeconds, ${timeoutSeconds}, is also the grace of a pod that ends, and it is told 30 s after: it is killed with requests in work`,
        fix: `timeoutSeconds: ${LEAST_HTTP_TIMEOUT_S}`,
      })),
};

const missingConsumer: Rule = {
  level: 'error',
  file: RULE,
  find: eachTrigger((_, trigger, facts) =>
    !isNats(trigger) || consumerOf(trigger, facts)
      ? undefined
      : {
          reason: `there is no consumer ${trigger.consumer} of stream ${trigger.stream}: with a fallback it is woken and crashes for ever, without one it never wakes`,
          fix: 'add it to consumer.yaml, or correct the trigger',
        },
  ),
};

const missingStream: Rule = {
  level: 'error',
  file: CONSUMER,
  find: ({ consumers, streams }) =>
    consumers
      .filter(({ stream }) => !streams.some(({ name }) => name === stream))
      .map(({ name, stream }) => ({
        function: ownerOf(name),
        reason: `${name} is of stream ${stream}, which there is not`,
        fix: `streamName: one of ${streams.map((one) => one.name).join(', ')}; or add it to infra/nats/streams.yaml`,
      })),
};

const unwatched: Rule = {
  level: 'error',
  file: RULE,
  find: ({ consumers, functions }) => {
    const watched = functions.flatMap((fn) => fn.watched.map(({ stream, consumer }) => `${stream}/${consumer}`));
    return consumers
      .filter(({ name, stream }) => !watched.includes(`${stream}/${name}`))
      .map(({ name, stream }) => ({
        function: ownerOf(name),
        reason: `no trigger reads the lag of ${stream}/${name}: what is in it wakes nobody`,
        fix: 'add a trigger of type nats-jetstream for it',
      }));
  },
};

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

const endpoint: Rule = {
  level: 'error',
  file: 'knative/platform/kustomization.yaml',
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

const fallback: Rule = {
  level: 'warning',
  file: RULE,
  find: eachFunction(({ rule }) =>
    rule.fallback
      ? undefined
      : {
          reason: 'without a fallback it keeps its replicas, or none, while its lag cannot be read',
          fix: 'fallback: { failureThreshold: 3, replicas: 1, behavior: currentReplicasIfHigher }',
        },
  ),
};

const account: Rule = {
  level: 'error',
  file: 'knative/platform/kustomization.yaml',
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

const polling: Rule = {
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

export const RULES: Readonly<Record<string, Rule>> = {
  'activation-above-zero': activation,
  'threshold-too-low': threshold,
  'ack-pending-caps': ackPending,
  'ack-wait-too-short': ackWait,
  'handler-too-long': handler,
  'cooldown-too-short': cooldown,
  'grace-too-short': grace,
  'http-grace-too-short': httpGrace,
  'missing-consumer': missingConsumer,
  'missing-stream': missingStream,
  'unwatched-consumer': unwatched,
  'wrong-endpoint': endpoint,
  'no-fallback': fallback,
  'account-by-name': account,
  'polls-overload': polling,
};

const pathOf = (file: string, name: string): string => {
  if (file.includes('/')) return file;
  return file === 'function.ts' ? `functions/*/${name}/function.ts` : `knative/functions/${name}/${file}`;
};

/** What all functions have alike, such as a wrong endpoint, is told once, of the first. */
export function lint(facts: Facts): Finding[] {
  return Object.entries(RULES).flatMap(([rule, { level, file, find }]) => {
    const found = find(facts).map((one) => ({ rule, level, ...one, file: pathOf(file, one.function) }));
    if (!file.includes('/')) return found;
    const firsts = found.filter(({ reason }, index) => found.findIndex((one) => one.reason === reason) === index);
    return firsts.map((one) => {
      const others = found.filter(({ reason }) => reason === one.reason).length - 1;
      return others === 0 ? one : { ...one, function: `${one.function} and ${others} more` };
    });
  });
}
