/** The client of a run: sends what the plan asks for, again and again until it is stored, and keeps what it is answered. */

import { openCommandSender } from '../../functions/runtime/command-sender.ts';
import type { Shell } from '../../functions/runtime/function.ts';
import { nameId } from '../../functions/runtime/ids.ts';
import type { Bus } from '../../functions/runtime/jetstream/connection.ts';
import type { Outcome } from '../../functions/runtime/messages/message.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import type { Ask } from './plan.ts';
import { delay } from './ports.ts';

const WAIT_MS = 5_000;
const CUSTOMER = nameId('customer');
const orderIdOf = (order: number): string => nameId('order', String(order));

/** A command that is stored: its id as its handler knows it, and its answers. */
export type Sent = { readonly commandId: string; readonly outcomes: Outcome[] };

/** An order as it stands after an event. */
type Result = { readonly orderId: string; readonly version: number };

/** The command of an ask, as its place in the plan names it. */
function commandOf(asks: readonly Ask[], index: number): { type: string; data: object } | undefined {
  const ask = asks[index];
  if (!ask) return undefined;
  const { wish, order } = ask;
  const orderId = orderIdOf(order);
  const about = (verb: string, data: object) => ({ type: `command.order.${verb}`, data: { orderId, ...data } });
  switch (wish.do) {
    case 'create':
      return about('create', { customerId: CUSTOMER, lines: wish.lines });
    case 'pay':
      return about('pay', { token: wish.token });
    case 'cancel':
      return about('cancel', {});
    case 'ship':
      return about('ship', { carrier: 'DHL', trackingNumber: '1' });
    case 'deliver': {
      const shipped = asks.findLastIndex((one, at) => at < index && one.order === order && one.wish.do === 'ship');
      return about('deliver', { shipmentId: nameId('/millrace/client', nameId('ask', String(shipped))) });
    }
    case 'refund':
      return about('refund', wish.amountMinor === undefined ? {} : { amountMinor: wish.amountMinor });
    case 'poison':
      return undefined;
  }
}

/** `isPublished` tells whether the log holds the event that a result shows. */
export function startClient(
  shell: Shell,
  bus: Bus,
  asks: readonly Ask[],
  isPublished: (orderId: string, version: number) => boolean,
) {
  const send = openCommandSender(shell, bus);
  const sent: Sent[] = [];
  /** Results that were told before they were published. */
  const early: Outcome[] = [];
  let left = asks.length;

  const untilStored = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    for (;;) {
      try {
        return await work();
      } catch {
        await delay(100);
      }
    }
  };

  const sendPoison = async (kind: 'command' | 'event', index: number): Promise<void> => {
    const subject = kind === 'command' ? 'command.order.create' : `order.${orderIdOf(9)}.created`;
    await untilStored(() => bus.publish(subject, 'poison', {}, `poison ${index}`));
  };

  const sendOne = async (index: number, { wish, times }: Ask): Promise<void> => {
    if (wish.do === 'poison') return sendPoison(wish.kind, index);
    const command = commandOf(asks, index);
    if (!command) return;
    const id = nameId('ask', String(index));
    const outcomes: Outcome[] = [];
    sent.push({ commandId: nameId('/millrace/client', id), outcomes });
    const wanted = { id, ...command, subject: id, trace: continueTrace(undefined) };
    const sendOnce = async (): Promise<void> => {
      const outcome = await untilStored(() => send(wanted, WAIT_MS));
      if (!outcome) return;
      outcomes.push(outcome);
      const result = outcome.result as Result | undefined;
      if (result && !isPublished(result.orderId, result.version)) early.push(outcome);
    };
    await Promise.all(Array.from({ length: times }, sendOnce));
    if (times > 1) await sendOnce();
  };

  let atMs = 0;
  asks.forEach((ask, index) => {
    atMs += ask.afterMs;
    setTimeout(() => {
      void sendOne(index, ask).finally(() => {
        left -= 1;
      });
    }, atMs);
  });
  return { sent, early, isDone: () => left === 0 };
}
