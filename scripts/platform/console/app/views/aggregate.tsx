/** One order: what happened to it, how it stood after each step, its traces and its e-mails. */
import { useState } from 'preact/hooks';
import type { OrderPage, OrderStep } from '../../wire.ts';
import { useAsked } from '../ask.ts';
import { Badge, Empty, Heading, Problem, Waiting } from '../parts.tsx';
import { linkTo } from '../route.ts';
import { money, time } from '../words.ts';
import { Slider, States, Timeline } from './past.tsx';
import { Trace } from './trace.tsx';

const EVERY_MS = 2_000;

const Mails = ({ mails }: Pick<OrderPage, 'mails'>) => (
  <section class="panel" aria-labelledby="mails">
    <h2 id="mails">E-mails</h2>
    {mails.length === 0 ? <Empty>None was sent about it yet.</Empty> : null}
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

const wordOf = (state: OrderStep['state'] | undefined, field: string): string => String(state?.[field] ?? '');

function Whole({ page }: { page: OrderPage }) {
  const { steps, more, orderId, inView, mails } = page;
  const newest = steps.at(-1)?.version ?? 1;
  const [chosen, setChosen] = useState<number>();
  const version = chosen ?? newest;
  const go = (to: number): void => setChosen(to === newest ? undefined : to);
  const state = steps.find((step) => step.version === version)?.state;
  const travel = { steps, version, go };
  return (
    <>
      <Heading about={<code>{orderId}</code>}>Order</Heading>
      <p class="badges">
        {['status', 'paymentStatus', 'fulfilmentStatus'].map((field) => (
          <Badge key={field} state={wordOf(state, field)} />
        ))}
        <b>{money(Number(state?.totalMinor ?? 0), wordOf(state, 'currency') || 'EUR')}</b>
        {inView < newest ? (
          <span class="quiet">The read model has {inView === 0 ? 'nothing' : `version ${inView}`} of it yet.</span>
        ) : null}
      </p>
      <section class="panel" aria-labelledby="past">
        <h2 id="past">{version === newest ? 'What happened' : `As it was at version ${version}`}</h2>
        {more ? <p class="quiet">Only the first {steps.length} versions are shown.</p> : null}
        <Slider {...travel} />
        <div class="past">
          <Timeline {...travel} />
          <States {...travel} />
        </div>
      </section>
      <Trace orderId={orderId} steps={steps.length} />
      <Mails mails={mails} />
    </>
  );
}

export function OrderView({ orderId }: { orderId: string }) {
  const { body, failed } = useAsked<OrderPage>(`orders/${encodeURIComponent(orderId)}`, EVERY_MS);
  return (
    <>
      <p class="back">
        <a href={linkTo('orders')}>Orders</a>
      </p>
      {failed ? (
        <>
          {body ? null : <Heading>Order</Heading>}
          <Problem failed={failed} />
        </>
      ) : null}
      {!body && !failed ? <Waiting /> : null}
      {body ? <Whole key={body.orderId} page={body} /> : null}
    </>
  );
}
