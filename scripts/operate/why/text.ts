/** An account → lines to read. Pure. */

import type { Account, Told } from './account.ts';
import type { Attempt } from './attempts.ts';
import { shownName } from './calls.ts';
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
  return `${waitOf(attempt)}${failed(failure.error, failure.target, failure.heldBack)} after ${took}${then}`;
}

function stepLines({ step, state }: Told, now: number): string[] {
  const { kind, from, attempts, status } = step;
  const who = shownName(step.function);
  const [only] = attempts;
  if (kind === 'request' && only)
    return [`${clock(from)}  ${taskOf(step)}  ${who}  ${status ?? ''} ${attemptText(only)}`];
  const head = `${clock(from)}  ${taskOf(step)} → ${who}`;
  if (!only) return [`${head}  ${standing(state, now)}`];
  if (attempts.length === 1) return [`${head}  ${attemptText(only)}`];
  return [
    head,
    ...attempts.map((one) => `${clock(one.wait?.start ?? one.start)}    attempt ${one.number}: ${attemptText(one)}`),
  ];
}

export function textOf(account: Account, now: number): string {
  const { sentence, steps, standing: stands, advice } = account;
  const [first] = steps;
  return [
    sentence,
    '',
    ...(first ? [`Since ${instant(first.step.from)}, times in UTC:`] : []),
    ...steps.flatMap((told) => stepLines(told, now)).map((line) => `  ${line}`),
    '',
    `Now: ${stands.join('\n     ')}`,
    `What to do: ${advice.join('\n            ')}`,
  ].join('\n');
}
