/** The streams of one aggregate that changed last. */
import type { AggregateLine } from '../../wire.ts';
import { useAsked } from '../ask.ts';
import { Empty, Heading, Problem, Time, Waiting } from '../parts.tsx';
import { linkTo } from '../route.ts';
import { count, pluralTitle, shortId, time, title } from '../words.ts';

/** The list reads the whole table: 1.2 s with a million events. */
const EVERY_MS = 5_000;

const Row = ({ name, stream }: { name: string; stream: AggregateLine }) => (
  <tr>
    <th scope="row">
      <a href={linkTo('aggregates', name, stream.id)} title={stream.id}>
        <span class="unseen">{title(name)} </span>
        {shortId(stream.id)}
      </a>
    </th>
    <td>{stream.type}</td>
    <td>
      <Time at={stream.changed}>{time(stream.changed)}</Time>
    </td>
    <td class="number">{count(stream.version)}</td>
    <td class="wide">
      <span title={stream.actor}>{shortId(stream.actor)}</span>
    </td>
    <td class="wide">
      <Time at={stream.began}>{time(stream.began)}</Time>
    </td>
  </tr>
);

export function Aggregates({ name }: { name: string }) {
  const path = `aggregates/${encodeURIComponent(name)}`;
  const { body, failed } = useAsked<{ streams: readonly AggregateLine[]; more: boolean }>(path, EVERY_MS);
  return (
    <>
      <Heading about="The last changed first, from the event store.">{pluralTitle(name)}</Heading>
      {failed ? <Problem failed={failed} /> : null}
      {!body && !failed ? <Waiting /> : null}
      {body?.streams.length === 0 ? (
        <Empty>
          There are none yet. The calls that <code>npm start</code> prints may make the first one.
        </Empty>
      ) : null}
      {body && body.streams.length > 0 ? (
        <div class="scroll">
          <table>
            <caption class="unseen">{pluralTitle(name)} that changed last</caption>
            <thead>
              <tr>
                <th scope="col">{title(name)}</th>
                <th scope="col">Newest event</th>
                <th scope="col">At</th>
                <th scope="col" class="number">
                  Version
                </th>
                <th scope="col" class="wide">
                  By
                </th>
                <th scope="col" class="wide">
                  Created
                </th>
              </tr>
            </thead>
            <tbody>
              {body.streams.map((stream) => (
                <Row key={stream.id} name={name} stream={stream} />
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {body?.more ? <p class="quiet">Only the newest {body.streams.length} are shown.</p> : null}
    </>
  );
}
