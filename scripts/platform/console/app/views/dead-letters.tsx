/** Dead letters: what could not be handled, and why. */
import type { LetterLine } from '../../wire.ts';
import { useAsked } from '../ask.ts';
import { Empty, Heading, Problem, Time, Waiting } from '../parts.tsx';
import { linkTo } from '../route.ts';
import { time } from '../words.ts';

const EVERY_MS = 3_000;

const Row = ({ letter }: { letter: LetterLine }) => (
  <tr>
    <th scope="row">
      <a href={linkTo('dead-letters', letter.id)} aria-label={`Dead letter ${letter.id}`}>
        {letter.id}
      </a>
    </th>
    <td>{letter.function}</td>
    <td>
      <code>{letter.error}</code>
    </td>
    <td class="wide">{letter.type}</td>
    <td class="wide">
      <Time at={letter.at}>{time(letter.at)}</Time>
    </td>
    <td class="number wide">{letter.attempts}</td>
  </tr>
);

export function Letters() {
  const { body, failed } = useAsked<{ letters: readonly LetterLine[]; total: number }>('dead-letters', EVERY_MS);
  const letters = body?.letters ?? [];
  return (
    <>
      <Heading about="Messages that their function gave up, the oldest first. They are kept for 30 days.">
        Dead letters
      </Heading>
      {failed ? <Problem failed={failed} /> : null}
      {!body && !failed ? <Waiting /> : null}
      {body && letters.length === 0 ? <Empty>There is none: everything was handled.</Empty> : null}
      {letters.length > 0 ? (
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
              {letters.map((letter) => (
                <Row key={letter.id} letter={letter} />
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {body && body.total > letters.length ? (
        <p class="quiet">
          The oldest {letters.length} of {body.total}; <code>npx millrace dead-letters list</code> shows all.
        </p>
      ) : null}
    </>
  );
}
