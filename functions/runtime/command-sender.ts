/** Sends a command to stream COMMANDS and waits for its outcome, as long as the sender cares to. */

import type { Shell } from './function.ts';
import { newId } from './ids.ts';
import type { Bus } from './jetstream/connection.ts';
import { send } from './jetstream/publishing.ts';
import { type Outcome, REPLY_HEADER, toHeaders } from './messages/message.ts';
import type { Trace } from './trace.ts';

type Command = {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly data: object;
  readonly trace: Trace;
};

/** Resolves to the outcome, or to undefined when none came in time: the command is stored and will be handled. */
export type SendCommand = (command: Command, waitMs: number) => Promise<Outcome | undefined>;

export function openCommandSender(shell: Shell, bus: Bus): SendCommand {
  const waiting = new Map<string, (outcome: Outcome) => void>();
  const inbox = bus.inbox((token, payload) => waiting.get(token)?.(JSON.parse(payload)));

  return async ({ id, type, subject, data, trace }, waitMs) => {
    // The same command may be sent many times at once, and each sender wants its answer: the message id is the sending's.
    const sending = newId();
    const envelope = { id, type, subject, source: `/millrace/${shell.name}`, time: new Date().toISOString(), ...trace };
    const headers = { ...toHeaders(envelope), [REPLY_HEADER]: `${inbox}.${sending}` };
    let timer: NodeJS.Timeout | undefined;
    const outcome = new Promise<Outcome | undefined>((resolve) => {
      waiting.set(sending, resolve);
      timer = setTimeout(() => resolve(undefined), waitMs);
    });
    try {
      await send(bus, type, JSON.stringify(data), headers, sending);
      return await outcome;
    } finally {
      clearTimeout(timer);
      waiting.delete(sending);
    }
  };
}
