/** An aggregate's history, and what NATS holds of it now → the account where no trace is kept. Pure. */
import type { Account } from './account.ts';
import { shownName } from './calls.ts';
import type { History } from './history.ts';
import type { Present } from './state.ts';
import { duration, standing } from './words.ts';

/** What is known of it all without a trace: the newest event, and what waits or was given up in a trace of its events. */
export function untracedAccount(history: History, present: Present | undefined, now: number): Account {
  const { aggregate, subject, events } = history;
  const traces = new Set(events.map(({ traceId }) => traceId));
  const isOwn = ({ traceId }: { readonly traceId: string }): boolean => traces.has(traceId);
  const dead = (present?.deadLetters ?? []).filter(isOwn);
  const parked = (present?.parked ?? []).filter(isOwn);
  const last = events.at(-1);
  const since = last ? ` since ${shownName(last.type)}, ${duration(now - Date.parse(last.at))} ago` : '';
  const open = [
    ...dead.map(
      ({ function: name, id }) => `${shownName(name)} has given up a message of its traces: dead letter ${id}.`,
    ),
    ...parked.map(
      ({ function: name, at }) =>
        `A message of its traces is ${standing({ is: 'parked', error: '', at }, now)}, for ${shownName(name)}.`,
    ),
  ];
  return {
    sentence: `${aggregate} ${subject} is at version ${last?.version ?? 0}${since}; no trace of it is kept.`,
    entries: [],
    shares: [],
    standing: open.length > 0 ? open : [present ? 'Nothing of it waits.' : 'What waits is not known without NATS.'],
    advice:
      dead.length > 0
        ? dead.flatMap(({ id }) => [
            `npx millrace dead-letters show ${id}`,
            `When its cause is gone: npx millrace dead-letters redrive ${id}`,
          ])
        : ['Nothing.'],
  };
}
