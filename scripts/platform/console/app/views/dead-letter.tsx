/** One dead letter: what it was and why it is here, sent again or discarded once that is confirmed. */
import { useState } from 'preact/hooks';
import type { DeadLetterWhole } from '../../wire.ts';
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

function Actions({ deadLetter }: { deadLetter: DeadLetterWhole }) {
  const [asking, setAsking] = useState<Verb>();
  const [busy, setBusy] = useState(false);
  const act = async (verb: Verb): Promise<void> => {
    setBusy(true);
    const { failed } = await ask(`dead-letters/${deadLetter.id}/${verb}`, 'POST');
    setBusy(false);
    if (failed) return announce(`${failed.title}: ${failed.detail}`, 'bad');
    announce(`Dead letter ${deadLetter.id} ${VERBS[verb].did} ${deadLetter.function}.`);
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

function Whole({ deadLetter }: { deadLetter: DeadLetterWhole }) {
  const facts: readonly [string, string][] = [
    ['Function', deadLetter.function],
    ['Error', deadLetter.error],
    ['Said', deadLetter.message],
    ['Attempts', plural(deadLetter.attempts, 'attempt')],
    ['Message', deadLetter.type],
    ['About', deadLetter.subject || 'it does not say'],
    ['Given up', time(deadLetter.at)],
    ['Trace', deadLetter.traceId || 'none'],
  ];
  return (
    <>
      <Heading>Dead letter {deadLetter.id}</Heading>
      <Actions deadLetter={deadLetter} />
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
        <pre tabIndex={0}>{readable(deadLetter.payload)}</pre>
      </section>
      <section class="panel">
        <h2>Headers</h2>
        <dl class="facts">
          {Object.entries(deadLetter.headers).map(([name, value]) => (
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

export function DeadLetterView({ id }: { id: string }) {
  const { body, failed } = useAsked<DeadLetterWhole>(`dead-letters/${encodeURIComponent(id)}`);
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
      {body ? <Whole deadLetter={body} /> : null}
    </>
  );
}
