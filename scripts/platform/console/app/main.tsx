/** The console: its frame, and the view that the address names. */
import './language.ts';
import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Announcer, announce } from './announce.tsx';
import { useAsked } from './ask.ts';
import { listen, useLive } from './live.ts';
import { Empty, Heading } from './parts.tsx';
import { linkTo, useRoute } from './route.ts';
import { AggregateView } from './views/aggregate.tsx';
import { Aggregates } from './views/aggregates.tsx';
import { DeadLetterView } from './views/dead-letter.tsx';
import { DeadLetters } from './views/dead-letters.tsx';
import { FunctionView } from './views/function.tsx';
import { Functions } from './views/functions.tsx';
import { Mailbox } from './views/mailbox.tsx';
import { Playground } from './views/playground.tsx';
import { pluralTitle } from './words.ts';
import './console.css';

/** `to`: the parts of its address. */
type Entry = { readonly to: readonly string[]; readonly name: string };

const FUNCTIONS: Entry = { to: ['functions'], name: 'Functions' };
const OTHERS: readonly Entry[] = [
  { to: ['dead-letters'], name: 'Dead letters' },
  { to: ['mailbox'], name: 'Mailbox' },
  { to: ['playground'], name: 'Playground' },
];

/** What the bar leads to: one entry an aggregate, and the pages that there always are. */
function useEntries(): readonly Entry[] {
  const { body } = useAsked<{ names: readonly string[] }>('aggregates');
  const aggregates = (body?.names ?? []).map((name) => ({ to: ['aggregates', name], name: pluralTitle(name) }));
  return [FUNCTIONS, ...aggregates, ...OTHERS];
}

const leadsTo = ({ to }: Entry, route: readonly string[]): boolean => to.every((part, index) => route[index] === part);

/** undefined where nothing is. */
function viewOf([page = 'functions', one, id, ...more]: readonly string[]) {
  if (page === 'aggregates' && one && more.length === 0)
    return id ? <AggregateView key={`${one}/${id}`} name={one} id={id} /> : <Aggregates key={one} name={one} />;
  if (id !== undefined) return undefined;
  switch (page) {
    case 'functions':
      return one ? <FunctionView name={one} /> : <Functions />;
    case 'dead-letters':
      return one ? <DeadLetterView key={one} id={one} /> : <DeadLetters />;
    case 'mailbox':
      return <Mailbox id={one} />;
    case 'playground':
      return <Playground chosen={one} />;
  }
  return undefined;
}

const Nothing = () => (
  <>
    <Heading>Nothing is here</Heading>
    <Empty>
      The console has no page at <code>{location.hash}</code>. <a href={linkTo('functions')}>To the functions</a>
    </Empty>
  </>
);

const SAYS = { connecting: 'connecting', live: 'live', lost: 'disconnected, trying again' } as const;

function Header({ entries, current }: { entries: readonly Entry[]; current: Entry | undefined }) {
  const { connection, counts } = useLive();
  const was = useRef(connection);
  useEffect(() => {
    if (was.current === 'live' && connection === 'lost')
      announce('The connection to Millrace is lost; trying again.', 'quiet');
    if (was.current === 'lost' && connection === 'live') announce('Connected again.');
    was.current = connection;
  }, [connection]);
  const waiting: Readonly<Record<string, number>> = { '#/dead-letters': counts.deadLetters };
  return (
    <header>
      <div class="bar-top">
        <a class="brand" href={linkTo('functions')}>
          Millrace
        </a>
        <nav aria-label="Console">
          <ul>
            {entries.map((entry) => {
              const href = linkTo(...entry.to);
              return (
                <li key={href}>
                  <a href={href} aria-current={entry === current ? 'page' : undefined}>
                    <span class="name" data-name={entry.name}>
                      {entry.name}
                    </span>
                    {waiting[href] ? <span class="count">{waiting[href]}</span> : null}
                  </a>
                </li>
              );
            })}
          </ul>
        </nav>
        <span class={`connection ${connection}`}>{SAYS[connection]}</span>
      </div>
    </header>
  );
}

function App() {
  const route = useRoute();
  const entries = useEntries();
  const current = entries.find((entry) => leadsTo(entry, route.length > 0 ? route : FUNCTIONS.to));
  const first = useRef(true);
  const where = route.join('/');
  useEffect(() => {
    document.title = [route[current?.to.length ?? 0], current?.name ?? 'Nothing here', 'Millrace']
      .filter(Boolean)
      .join(' – ');
  }, [where, current?.name]);
  useEffect(() => {
    if (!first.current) {
      scrollTo(0, 0);
      (document.querySelector<HTMLElement>('main h1') ?? document.getElementById('main'))?.focus();
    }
    first.current = false;
  }, [where]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.querySelector('main')?.focus()}>
        Skip to the content
      </button>
      <Header entries={entries} current={current} />
      <main id="main" tabIndex={-1}>
        {viewOf(route) ?? <Nothing />}
      </main>
      <Announcer />
    </>
  );
}

listen();
const place = document.getElementById('app');
if (place) {
  place.textContent = '';
  render(<App />, place);
}
