/** What clients were told → is it what the store holds, once. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Answer, Snapshot } from '../snapshot.ts';
import type { Histories } from './histories.ts';
import { type Violation, violation } from './violation.ts';

type Shown = { readonly orderId: string; readonly version: number };

const isDone = ({ status }: Answer): boolean => status === 201;
const shownIn = ({ body }: Answer): Shown => body as Shown;

/** Refusals by a rule, and by If-Match. */
const REFUSALS = new Set([409, 412]);

const told = ({ what, key, status }: Answer): string => `${what} with key ${key}, answered with ${status}`;

function checkOne(answer: Answer, all: Histories, broken: ReadonlySet<string>): Violation[] {
  if (REFUSALS.has(answer.status)) return [];
  if (!isDone(answer)) return [violation('unexpected-answer', `${told(answer)}: ${JSON.stringify(answer.body)}`)];
  const { orderId, version } = shownIn(answer);
  if (broken.has(orderId)) return [];
  const chapter = all.get(orderId)?.[version - 1];
  if (!chapter) return [violation('lost', `${told(answer)}: order ${orderId} has no version ${version}`, answer.key)];
  if (isDeepStrictEqual(chapter.order, answer.body)) return [];
  return [violation('answer-differs', `${told(answer)}: order ${orderId} was another at version ${version}`)];
}

/** Every try of a request gets the same answer: none leads to an order, or a step, of its own. */
function checkRepeats(key: string, answers: readonly Answer[]): Violation[] {
  const [first, ...others] = answers.filter(isDone);
  const ids = new Set(answers.filter(isDone).map((answer) => `${shownIn(answer).orderId} ${shownIn(answer).version}`));
  if (ids.size > 1) return [violation('doubled', `${key} was answered with ${[...ids].join(' and ')}`, key)];
  const same = first === undefined || others.every(({ body }) => isDeepStrictEqual(body, first.body));
  const settled = ids.size === 0 || answers.every(isDone);
  return same && settled ? [] : [violation('answer-differs', `${key} was answered in two ways`)];
}

/** What customers and staff did, each event by exactly one request. */
function checkEvents({ answers, unanswered, commands }: Snapshot, histories: Histories): Violation[] {
  const byVersion = Map.groupBy(answers.filter(isDone), (answer) => JSON.stringify(placeOf(shownIn(answer))));
  const known = new Map(commands.map(({ commandId, version }) => [commandId, version]));
  return [...histories.values()].flat().flatMap(({ stored }) => {
    const what = `${stored.type}, version ${stored.version} of order ${stored.orderId}`;
    const keys = new Set((byVersion.get(JSON.stringify(placeOf(stored))) ?? []).map(({ key }) => key));
    if (keys.size > 1) return [violation('doubled', `${what} is the answer to ${[...keys].join(' and ')}`)];
    if (known.get(stored.commandId) !== stored.version)
      return [violation('doubled', `${what} is not what its command ${stored.commandId} led to`)];
    // A request that got no answer may have been done: it is told as unanswered.
    if (stored.actor === 'system' || keys.size === 1 || unanswered.length > 0) return [];
    return [violation('doubled', `${what} is the answer to no request`)];
  });
}

const placeOf = ({ orderId, version }: Shown) => ({ orderId, version });

export function checkAnswers(snapshot: Snapshot, histories: Histories): Violation[] {
  const broken = new Set(snapshot.events.map(({ orderId }) => orderId).filter((id) => !histories.has(id)));
  return [
    ...snapshot.unanswered.map((key) => violation('unanswered', `${key} never got an answer`, key)),
    ...snapshot.answers.flatMap((answer) => checkOne(answer, histories, broken)),
    ...[...Map.groupBy(snapshot.answers, ({ key }) => key)].flatMap(([key, answers]) => checkRepeats(key, answers)),
    ...checkEvents(snapshot, histories),
  ];
}
