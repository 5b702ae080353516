/** Rules of lint about when a function wakes and how many replicas it gets. Pure. */
import { CONSUMER, consumerOf, eachFunction, eachTrigger, isNats, RULE, type Rule } from './rule.ts';

export const activation: Rule = {
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

export const threshold: Rule = {
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

export const ackPending: Rule = {
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

export const fallback: Rule = {
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
