/** Rules of lint about time: what is in work, until it is given to somebody else, and until the end of a pod. Pure. */
import { WORKING_EVERY_MS, WORKING_FOR_MS } from '../../../../functions/runtime/handling/consumer-loop.ts';
import { isGoDuration, nanoseconds } from '../../../manifests/go-duration.ts';
import { CONSUMER, eachFunction, ownerOf, RULE, type Rule } from './rule.ts';

/** One signal that a handler is at work may be lost, and the next be late. */
const LEAST_ACK_WAIT_S = (2.5 * WORKING_EVERY_MS) / 1_000;
const LONGEST_HANDLER_S = WORKING_FOR_MS / 1_000;
/** queue-proxy takes 30 s of it before the function is told to end, which then needs some. */
const LEAST_HTTP_TIMEOUT_S = 45;

const seconds = (duration: string | undefined): number =>
  duration !== undefined && isGoDuration(duration) ? nanoseconds(duration) / 1e9 : 0;

export const ackWait: Rule = {
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

export const handler: Rule = {
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

export const cooldown: Rule = {
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

export const grace: Rule = {
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

export const httpGrace: Rule = {
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
