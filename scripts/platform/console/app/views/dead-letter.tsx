/** One dead letter: what it was and why it is here, sent again or discarded once that is confirmed. */
import { useState } from 'preact/hooks';
import type { LetterWhole } from '../../wire.ts';
import { announce } from '../announce.tsx';
import { ask, useAsked } from '../ask.ts';
import { Confirm, Heading, Problem, Waiting } from '../parts.tsx';
import { goTo, linkTo } from '../route.ts';
import { plural, time } from '../words.ts';

type Verb = 'redrive' | 'discard';
const VERBS: Readonly<Record<Verb, { question: string; detail: string; yes: string; did: string }>> = {
  redrive: {
    question: 'Send it again?',
    detail:
      'Its function gets the message once more, as if for the first time. If that fails, it is a new dead letter.',
    yes: 'Send again',
    did: 'was sent again to',
  },
  discard: {
    question: 'Discard it?',
    detail: 'The message is gone for good. That it was discarded stays on record.',
    yes: 'Discard',
    did: 'was discarded, of',
  },
};

function readable(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}

function Actions({ letter }: { letter: LetterWhole }) {
  const [asking, setAsking] = useState<Verb>();
  const [busy, setBusy] = useState(false);
  const act = async (verb: Verb): Promise<void> => {
    setBusy(true);
    const { failed } = await ask(`dead-letters/${letter.id}/${verb}`, 'POST');
    setBusy(false);
    if (failed) return announce(`${failed.title}: ${failed.detail}`, 'bad');
    announce(`Dead letter ${letter.id} ${VERBS[verb].did} ${letter.function}.`);
    goTo('dead-letters');
  };
  const answer = (yes: boolean): void => {
    setAsking(undefined);
    if (yes && asking) void act(asking);
  };
  return (
    <div class="actions">
      <button type="button" class="main" disabled={busy} onClick={() => setAsking('redrive')}>
        Redrive
      </button>
      <button type="button" disabled={busy} onClick={() => setAsking('discard')}>
        Discard
      </button>
      {asking ? <Confirm {...VERBS[asking]} onAnswer={answer} /> : null}
    </div>
  );
}

function Whole({ letter }: { letter: LetterWhole }) {
  const facts: readonly [string, string][] = [
    ['Function', letter.function],
    ['Error', letter.error],
    ['Said', letter.message],
    ['Attempts', plural(letter.attempts, 'attempt')],
    ['Message', letter.type],
    ['About', letter.subject || 'it does not say'],
    ['Given up', time(letter.at)],
    ['Trace', letter.traceId || 'none'],
  ];
  return (
    <>
      <Heading>Dead letter {letter.id}</Heading>
      <Actions letter={letter} />
      <dl class="facts">
        {facts.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <section class="panel">
        <h2>What the message says</h2>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reached by keyboard. */}
        <pre tabIndex={0}>{readable(letter.payload)}</pre>
      </section>
      <section class="panel">
        <h2>Headers</h2>
        <dl class="facts">
          {Object.entries(letter.headers).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
    </>
  );
}

export function LetterView({ id }: { id: string }) {
  const { body, failed } = useAsked<LetterWhole>(`dead-letters/${encodeURIComponent(id)}`);
  return (
    <>
      <p class="back">
        <a href={linkTo('dead-letters')}>Dead letters</a>
      </p>
      {failed ? (
        <>
          <Heading>Dead letter {id}</Heading>
          <Problem failed={failed} />
        </>
      ) : null}
      {!body && !failed ? <Waiting /> : null}
      {body ? <Whole letter={body} /> : null}
    </>
  );
}
