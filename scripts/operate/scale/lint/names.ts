/** Rules of lint about what is named and must be there: consumers, streams, triggers. Pure. */
import { CONSUMER, consumerOf, eachTrigger, isNats, ownerOf, RULE, type Rule } from './rule.ts';

export const missingConsumer: Rule = {
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

export const missingStream: Rule = {
  level: 'error',
  file: CONSUMER,
  find: ({ consumers, streams }) =>
    consumers
      .filter(({ stream }) => !streams.some(({ name }) => name === stream))
      .map(({ name, stream }) => ({
        function: ownerOf(name),
        reason: `${name} is of stream ${stream}, which there is not`,
        fix: `streamName: one of ${streams.map((one) => one.name).join(', ')}`,
      })),
};

export const unwatched: Rule = {
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
