/** A snapshot → everything in it that breaks a promise of the shop; empty when all is well. Pure. */
import type { Rest, Snapshot } from '../snapshot.ts';
import { checkAnswers } from './answers.ts';
import { checkGoodsAndMoney } from './goods-and-money.ts';
import { readHistories } from './histories.ts';
import { checkReaders } from './readers.ts';
import { type Violation, violation } from './violation.ts';

const LISTED = 5;

/** What is still to be done, each kind of it once. */
export const checkRest = (rest: Rest): Violation[] =>
  Object.entries(rest)
    .filter(([, left]) => left.length > 0)
    .map(([what, left]) => {
      const more = left.length > LISTED ? ` and ${left.length - LISTED} more` : '';
      return violation('not-quiet', `${what}: ${left.slice(0, LISTED).join(', ')}${more}`);
    });

function checkDeadLetters({ deadLetters, planted }: Snapshot): Violation[] {
  const ids = new Set(planted.map(({ id }) => id));
  const has = (id: string, name: string): boolean => deadLetters.some((one) => one.id === id && one.function === name);
  return [
    ...deadLetters
      .filter(({ id }) => !ids.has(id))
      .map(({ id, error, function: name }) => violation('dead-letter', `${name} gave up message ${id}: ${error}`)),
    ...planted.flatMap(({ id, functions }) =>
      functions
        .filter((name) => !has(id, name))
        .map((name) => violation('poison-unnoticed', `${name} kept no dead letter of ${id}`)),
    ),
  ];
}

export function check(snapshot: Snapshot): Violation[] {
  const { histories, violations } = readHistories(snapshot);
  return [
    ...violations,
    ...checkAnswers(snapshot, histories),
    ...checkGoodsAndMoney(snapshot, histories),
    ...checkReaders(snapshot, histories),
    ...checkDeadLetters(snapshot),
    ...checkRest(snapshot.rest),
  ];
}
