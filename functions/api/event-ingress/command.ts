/** A pushed event and who sent it → the command for JetStream. The same type, source and id of a sender is always the same command. Pure. */
import { CREATE_ORDER } from '../../orders/commands.ts';
import type { Caller } from '../../runtime/http.ts';
import { nameId } from '../../runtime/ids.ts';
import type { PushedEvent } from './accepted.ts';

export type PushedCommand = {
  /** Of the message: known in JetStream for two minutes, and in the table `commands` for ever. */
  readonly id: string;
  readonly type: PushedEvent['type'];
  readonly orderId: string;
  readonly data: object;
};

export function commandOf(event: PushedEvent, { userId, role }: Caller): PushedCommand {
  const { type, source, id } = event;
  const name = [userId, source, id] as const;
  // With the type: a command that has begun to move money must not find its id taken by one of another function.
  const messageId = nameId(type, ...name);
  if (event.type === CREATE_ORDER) {
    const orderId = nameId('order', ...name);
    return { id: messageId, type, orderId, data: { ...event.data, orderId, customerId: userId } };
  }
  const orderId = event.subject;
  return { id: messageId, type, orderId, data: { ...event.data, orderId, actor: { userId, role } } };
}
