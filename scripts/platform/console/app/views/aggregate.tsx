/** One aggregate: its events, its state after each of them, its traces and its e-mails. */
import { useState } from 'preact/hooks';
import type { AggregatePage, LateRow } from '../../wire.ts';
import { useAsked } from '../ask.ts';
import { Badge, Empty, Heading, Problem, Waiting } from '../parts.tsx';
import { linkTo } from '../route.ts';
import { pluralTitle, statuses, time, title } from '../words.ts';
import { Json, Slider, States, Timeline } from './past.tsx';
import { Trace } from './trace.tsx';

const EVERY_MS = 2_000;

const Mails = ({ mails }: Pick<AggregatePage, 'mails'>) => (
  <section class="panel" aria-labelledby="mails">
    <h2 id="mails">E-mails</h2>
    {mails.length === 0 ? <Empty>No e-mail names it yet.</Empty> : null}
    <ul class="plain">
      {mails.map((mail) => (
        <li key={mail.id}>
          <a href={linkTo('mailbox', mail.id)}>{mail.subject}</a>{' '}
          <span class="quiet">
            to {mail.to}, {time(mail.receivedAt)}
          </span>
        </li>
      ))}
    </ul>
  </section>
);

const Late = ({ table, version }: LateRow) => (
  <span class="quiet">
    {table} has {version === 0 ? 'nothing' : `version ${version}`} of it yet.
  </span>
);

function Whole({ name, page }: { name: string; page: AggregatePage }) {
  const { versions, more, id, late, mails } = page;
  const newest = versions.at(-1)?.version ?? 1;
  const [chosen, setChosen] = useState<number>();
  const version = chosen ?? newest;
  const go = (to: number): void => setChosen(to === newest ? undefined : to);
  const shown = versions.find((one) => one.version === version);
  const travel = { versions, version, go };
  return (
    <>
      <Heading about={<code>{id}</code>}>{title(name)}</Heading>
      <p class="badges">
        {statuses(shown?.state ?? {}).map(([field, status]) => (
          <Badge key={field} state={status} />
        ))}
        {late.map((row) => (
          <Late key={row.table} {...row} />
        ))}
      </p>
      <section class="panel" aria-labelledby="past">
        <h2 id="past">{version === newest ? 'What happened' : `As it was at version ${version}`}</h2>
        {more ? <p class="quiet">Only the first {versions.length} versions are shown.</p> : null}
        <Slider {...travel} />
        <div class="past">
          <Timeline {...travel} />
          <States {...travel} />
        </div>
        {shown ? <Json shown={shown} /> : null}
      </section>
      <Trace name={name} id={id} events={versions.length} />
      <Mails mails={mails} />
    </>
  );
}

export function AggregateView({ name, id }: { name: string; id: string }) {
  const path = `aggregates/${encodeURIComponent(name)}/${encodeURIComponent(id)}`;
  const { body, failed } = useAsked<AggregatePage>(path, EVERY_MS);
  return (
    <>
      <p class="back">
        <a href={linkTo('aggregates', name)}>{pluralTitle(name)}</a>
      </p>
      {failed ? (
        <>
          {body ? null : <Heading>{title(name)}</Heading>}
          <Problem failed={failed} />
        </>
      ) : null}
      {!body && !failed ? <Waiting /> : null}
      {body ? <Whole key={body.id} name={name} page={body} /> : null}
    </>
  );
}
