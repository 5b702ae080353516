/** E-mails that functions sent; none has left this machine. */
import type { MailLine, MailWhole } from '../../wire.ts';
import { useAsked } from '../ask.ts';
import { Empty, Heading, Problem, Time, Waiting } from '../parts.tsx';
import { linkTo } from '../route.ts';
import { time } from '../words.ts';

const EVERY_MS = 3_000;

function List({ mails, open }: { mails: readonly MailLine[]; open: string | undefined }) {
  return (
    <ul class="mails">
      {mails.map((mail) => (
        <li key={mail.id}>
          <a href={linkTo('mailbox', mail.id)} aria-current={mail.id === open ? 'true' : undefined}>
            <b>{mail.subject}</b>
            <span class="quiet">
              {mail.to} · <Time at={mail.receivedAt}>{time(mail.receivedAt)}</Time>
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Mail({ id }: { id: string }) {
  const path = `mails/${encodeURIComponent(id)}`;
  const { body, failed } = useAsked<MailWhole>(path);
  if (failed) return <Problem failed={failed} />;
  if (!body) return <Waiting />;
  return (
    <article class="panel mail" aria-labelledby="subject">
      <h2 id="subject">{body.subject}</h2>
      <p class="quiet">
        from {body.from}
        <br />
        to {body.to}, {time(body.receivedAt)}
      </p>
      {body.html ? (
        <>
          <iframe title={`E-mail: ${body.subject}`} sandbox="" src={`/console/api/${path}/html`} />
          <details>
            <summary>As plain text</summary>
            <pre>{body.text}</pre>
          </details>
        </>
      ) : (
        <pre class="text">{body.text}</pre>
      )}
    </article>
  );
}

export function Mailbox({ id }: { id: string | undefined }) {
  const { body, failed } = useAsked<{ mails: readonly MailLine[] }>('mails', EVERY_MS);
  return (
    <>
      {id ? (
        <p class="back narrow">
          <a href={linkTo('mailbox')}>Mailbox</a>
        </p>
      ) : null}
      <Heading about="E-mails that functions sent, the newest first. None of them has left this machine.">
        Mailbox
      </Heading>
      {failed ? <Problem failed={failed} /> : null}
      {!body && !failed ? <Waiting /> : null}
      {body?.mails.length === 0 ? <Empty>Nothing was sent yet.</Empty> : null}
      <div class={id ? 'two open' : 'two'}>
        {body && body.mails.length > 0 ? <List mails={body.mails} open={id} /> : null}
        {id ? <Mail key={id} id={id} /> : body && body.mails.length > 0 ? <Empty>Choose one to read it.</Empty> : null}
      </div>
    </>
  );
}
