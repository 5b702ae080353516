/** Dead letters: what could not be handled, and why. */
import type { DeadLetterLine } from '../../wire.ts';
import { useAsked } from '../ask.ts';
import { Empty, Heading, Problem, Time, Waiting } from '../parts.tsx';
import { linkTo } from '../route.ts';
import { time } from '../words.ts';

const EVERY_MS = 3_000;

const Row = ({ deadLetter }: { deadLetter: DeadLetterLine }) => (
  <tr>
    <th scope="row">
      <a href={linkTo('dead-letters', deadLetter.id)} aria-label={`Dead letter ${deadLetter.id}`}>
        {deadLetter.id}
      </a>
    </th>
    <td>{deadLetter.function}</td>
    <td>
      <code>{deadLetter.error}</code>
    </td>
    <td class="wide">{deadLetter.type}</td>
    <td class="wide">
      <Time at={deadLetter.at}>{time(deadLetter.at)}</Time>
    </td>
    <td class="number wide">{deadLetter.attempts}</td>
  </tr>
);

export function DeadLetters() {
  const { body, failed } = useAsked<{ deadLetters: readonly DeadLetterLine[]; total: number }>(
    'dead-letters',
    EVERY_MS,
  );
  const deadLetters = body?.deadLetters ?? [];
  return (
    <>
      <Heading about="Messages that their function gave up, the oldest first. They are kept for 30 days.">
        Dead letters
      </Heading>
      {failed ? <Problem failed={failed} /> : null}
      {!body && !failed ? <Waiting /> : null}
      {body && deadLetters.length === 0 ? <Empty>There is none: everything was handled.</Empty> : null}
      {deadLetters.length > 0 ? (
        <div class="scroll">
          <table>
            <caption class="unseen">Dead letters</caption>
            <thead>
              <tr>
                <th scope="col">Id</th>
                <th scope="col">Function</th>
                <th scope="col">Error</th>
                <th scope="col" class="wide">
                  Message
                </th>
                <th scope="col" class="wide">
                  Given up
                </th>
                <th scope="col" class="number wide">
                  Attempts
                </th>
              </tr>
            </thead>
            <tbody>
              {deadLetters.map((deadLetter) => (
                <Row key={deadLetter.id} deadLetter={deadLetter} />
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {body && body.total > deadLetters.length ? (
        <p class="quiet">
          The oldest {deadLetters.length} of {body.total}; <code>npx millrace dead-letters list</code> shows all.
        </p>
      ) : null}
    </>
  );
}
