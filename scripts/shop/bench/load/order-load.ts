/** Orders sent to stream COMMANDS, so many at a time, each until its answer; a process of its own: how long they took. */
import { performance } from 'node:perf_hooks';
import { openCommandSender } from '../../../../functions/runtime/command-sender.ts';
import { newId } from '../../../../functions/runtime/ids.ts';
import { natsSettings, openBus } from '../../../../functions/runtime/jetstream/connection.ts';
import { openLog } from '../../../../functions/runtime/log.ts';
import { errorOf } from '../../../../functions/runtime/messages/message.ts';
import { readSettings } from '../../../../functions/runtime/process/settings.ts';
import { continueTrace } from '../../../../functions/runtime/trace.ts';

const WAIT_MS = 60_000;
const [orders = 0, inFlight = 1] = process.argv.slice(2).map(Number);

const shell = {
  name: 'bench-load',
  settings: readSettings(natsSettings),
  log: openLog('bench-load', 'warn'),
  onClose: () => undefined,
};
const send = openCommandSender(shell, await openBus(shell));
let left = orders;

async function sendOrders(): Promise<void> {
  while (left > 0) {
    left -= 1;
    const orderId = newId();
    const data = { orderId, customerId: newId(), lines: [{ sku: `sku-${left % 100}`, quantity: 1 }] };
    const command = { id: newId(), type: 'command.order.create', subject: orderId, data, trace: continueTrace() };
    const outcome = await send(command, WAIT_MS);
    if (!outcome) throw new Error(`order ${orderId} got no answer`);
    const error = errorOf(outcome);
    if (error) throw error;
  }
}

const began = performance.timeOrigin + performance.now();
await Promise.all(Array.from({ length: inFlight }, sendOrders));
process.stdout.write(`${JSON.stringify({ began })}\n`);
process.exit(0);
