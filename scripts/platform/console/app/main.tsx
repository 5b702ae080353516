/** The console: its frame, and the view that the address names. */
import './language.ts';
import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Announcer, announce } from './announce.tsx';
import { listen, useLive } from './live.ts';
import { Empty, Heading } from './parts.tsx';
import { linkTo, useRoute } from './route.ts';
import { OrderView } from './views/aggregate.tsx';
import { Orders } from './views/aggregates.tsx';
import { LetterView } from './views/dead-letter.tsx';
import { Letters } from './views/dead-letters.tsx';
import { FunctionView } from './views/function.tsx';
import { Functions } from './views/functions.tsx';
import { Mailbox } from './views/mailbox.tsx';
import { Playground } from './views/playground.tsx';
import './console.css';

const ROOMS = [
  ['functions', 'Functions'],
  ['orders', 'Orders'],
  ['dead-letters', 'Dead letters'],
  ['mailbox', 'Mailbox'],
  ['playground', 'Playground'],
] as const;

function View({ route }: { route: readonly string[] }) {
  const [room = 'functions', id, ...more] = route;
  if (more.length === 0)
    switch (room) {
      case 'functions':
        return id ? <FunctionView name={id} /> : <Functions />;
      case 'orders':
        return id ? <OrderView key={id} orderId={id} /> : <Orders />;
      case 'dead-letters':
        return id ? <LetterView key={id} id={id} /> : <Letters />;
      case 'mailbox':
        return <Mailbox id={id} />;
      case 'playground':
        return <Playground chosen={id} />;
    }
  return (
    <>
      <Heading>Nothing is here</Heading>
      <Empty>
        The console has no page at <code>{location.hash}</code>. <a href={linkTo('functions')}>To the functions</a>
      </Empty>
    </>
  );
}

const SAYS = { connecting: 'connecting', live: 'live', lost: 'disconnected, trying again' } as const;

function Header({ room }: { room: string }) {
  const { connection, counts } = useLive();
  const was = useRef(connection);
  useEffect(() => {
    if (was.current === 'live' && connection === 'lost') announce('Disconnected from the shop, trying again.', 'quiet');
    if (was.current === 'lost' && connection === 'live') announce('Connected again.');
    was.current = connection;
  }, [connection]);
  const waiting: Readonly<Record<string, number>> = { 'dead-letters': counts.deadLetters };
  return (
    <header>
      <div class="bar-top">
        <a class="brand" href={linkTo('functions')}>
          Millrace
        </a>
        <nav aria-label="Console">
          <ul>
            {ROOMS.map(([name, title]) => (
              <li key={name}>
                <a href={linkTo(name)} aria-current={room === name ? 'page' : undefined}>
                  <span class="name" data-name={title}>
                    {title}
                  </span>
                  {waiting[name] ? <span class="count">{waiting[name]}</span> : null}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <span class={`connection ${connection}`}>{SAYS[connection]}</span>
      </div>
    </header>
  );
}

function App() {
  const route = useRoute();
  const room = route[0] ?? 'functions';
  const first = useRef(true);
  const where = route.join('/');
  useEffect(() => {
    const title = ROOMS.find(([name]) => name === room)?.[1] ?? 'Nothing here';
    document.title = [route[1], title, 'Millrace'].filter(Boolean).join(' – ');
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
      <Header room={room} />
      <main id="main" tabIndex={-1}>
        <View route={route} />
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
