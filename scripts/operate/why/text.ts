/** An account → lines to read. Pure. */

import type { Account, AccountEntry } from './account.ts';
import type { Attempt } from './attempts.ts';
import { shownName } from './calls.ts';
import type { History } from './history.ts';
import { clock, duration, failed, instant, standing, taskOf } from './words.ts';

function waitOf({ wait }: Attempt): string {
  if (!wait) return '';
  const { slept, started } = wait;
  const cold = [slept > 0 ? `slept ${duration(slept)}` : '', started > 0 ? `started ${duration(started)}` : ''];
  const why = cold.filter(Boolean).join(', ');
  return `waited ${duration(wait.end - wait.start)}${why ? ` (${why})` : ''}, `;
}

function attemptText(attempt: Attempt): string {
  const { start, end, failure, dueAt, dead, together, slow } = attempt;
  if (end === undefined) return `${waitOf(attempt)}began, and was not heard of since`;
  const took = `${duration(end - start)}${together > 1 ? ` with ${together - 1} others` : ''}`;
  if (!failure) return `${waitOf(attempt)}done in ${took}${slow ? `, ${duration(slow.ms)} of it ${slow.target}` : ''}`;
  const then = dead ? ', given up' : dueAt === undefined ? '' : `, again at ${instant(dueAt)}`;
  return `${waitOf(attempt)}${failed(failure.error, failure.target, failure.rejected)} after ${took}${then}`;
}

function entryLines({ entry, state }: AccountEntry, now: number): string[] {
  const { kind, from, attempts, status } = entry;
  const who = shownName(entry.function);
  const [only] = attempts;
  if (kind === 'request' && only)
    return [`${clock(from)}  ${taskOf(entry)}  ${who}  ${status ?? ''} ${attemptText(only)}`];
  const head = `${clock(from)}  ${taskOf(entry)} → ${who}`;
  if (!only) return [`${head}  ${standing(state, now)}`];
  if (attempts.length === 1) return [`${head}  ${attemptText(only)}`];
  return [
    head,
    ...attempts.map((one) => `${clock(one.wait?.start ?? one.start)}    attempt ${one.number}: ${attemptText(one)}`),
  ];
}

/** What is older is in the JSON. */
const MOST_EVENTS = 20;

function historyLines({ aggregate, subject, events, unpublished }: History): string[] {
  const newest = events.slice(-MOST_EVENTS);
  const what = newest.length < events.length ? `, its newest ${MOST_EVENTS} events` : '';
  return [
    `History of ${aggregate} ${subject}${what}:`,
    ...newest.map(
      ({ version, type, at, actor, command }) =>
        `  ${at}  ${version}  ${shownName(type)}, by ${shownName(command ?? 'an unknown command')} of ${shownName(actor)}`,
    ),
    ...(unpublished > 0 ? [`  In the outbox, not published yet: ${unpublished}`] : []),
    '',
  ];
}

export function textOf(account: Account, now: number, history?: History): string {
  const { sentence, entries, standing: stands, advice } = account;
  const [first] = entries;
  return [
    sentence,
    '',
    ...(first ? [`Since ${instant(first.entry.from)}, times in UTC:`] : []),
    ...entries.flatMap((one) => entryLines(one, now)).map((line) => `  ${line}`),
    ...(first ? [''] : []),
    ...(history ? historyLines(history) : []),
    `Now: ${stands.join('\n     ')}`,
    `What to do: ${advice.join('\n            ')}`,
  ].join('\n');
}
