/** POST /v1/orders and below → commands → 201 once the change is stored, 202 when that outlasts `Prefer: wait`. */
import * as z from 'zod/mini';
import {
  CANCEL_ORDER,
  CREATE_ORDER,
  DELIVER_ORDER,
  orderId,
  PAY_ORDER,
  REFUND_ORDER,
  SHIP_ORDER,
} from '../../orders/commands.ts';
import type { PublicOrder } from '../../orders/events.ts';
import { errorOf } from '../../runtime/bus.ts';
import type { SendCommand } from '../../runtime/command-sender.ts';
import { type Caller, callerRoute, type Reply, type Route } from '../../runtime/http.ts';
import { nameId } from '../../runtime/ids.ts';
import type { Trace } from '../../runtime/trace.ts';
import { accepted, order } from '../answers.ts';
import { etagOf, HEADERS, type Headers, idempotencyKey, versionOfIfMatch, waitMs } from '../headers.ts';
import { ORDER_COMMANDS } from '../order-commands.ts';

type Sending = { readonly orderId: string; readonly type: string; readonly data: object; readonly call: Sender };
type Sender = { readonly headers: Headers; readonly caller: Caller; readonly trace: Trace };

/** Sends a command named after the Idempotency-Key: every try of a request means the same command. */
async function send(sendCommand: SendCommand, { orderId, type, data, call }: Sending): Promise<Reply> {
  const { headers, caller, trace } = call;
  const id = nameId(type, caller.userId, orderId, idempotencyKey(headers));
  const outcome = await sendCommand({ id, type, subject: orderId, data, trace }, waitMs(headers));
  const location = `/v1/orders/${orderId}`;
  if (!outcome) return { status: 202, body: { orderId, status: 'accepted' }, headers: { location }, subject: orderId };
  const error = errorOf(outcome);
  if (error) throw error;
  const result = outcome.result as PublicOrder;
  return { status: 201, body: result, headers: { location, etag: etagOf(result) }, subject: orderId };
}

const params = z.strictObject({ orderId });

const answers = { 201: order, 202: accepted };
const DETAILS =
  'Answers with the order as the command left it, its version as ETag, and its place as Location. ' +
  '202: it is stored, and takes longer than you wanted to wait.';

type CommandRoute = {
  readonly what: string;
  readonly type: keyof typeof ORDER_COMMANDS;
  readonly summary: string;
  /** Besides what is true of every command. */
  readonly details?: string;
};

/** POST /v1/orders/{id}/<what>: commands on an order that exists. */
const ON_ORDER: readonly CommandRoute[] = [
  {
    what: 'payments',
    type: PAY_ORDER,
    summary: 'Pay an order',
    details: 'A payment that is declined is on record too, and answered with 201: see `paymentStatus`.',
  },
  {
    what: 'cancellations',
    type: CANCEL_ORDER,
    summary: 'Cancel an order of which nothing has been shipped; what was paid is given back',
  },
  {
    what: 'shipments',
    type: SHIP_ORDER,
    summary: 'Ship all of an order, or some of its lines',
  },
  {
    what: 'deliveries',
    type: DELIVER_ORDER,
    summary: 'Note that a shipment has arrived',
  },
  {
    what: 'refunds',
    type: REFUND_ORDER,
    summary: 'Give back all that was paid, or a part of it',
    details: 'When all is given back nothing more is shipped, and an order without shipments is cancelled.',
  },
];

/** Types of the commands that requests become. */
export const SENT_COMMANDS: readonly string[] = [CREATE_ORDER, ...ON_ORDER.map(({ type }) => type)];

const onOrder = (sendCommand: SendCommand, { what, type, summary, details = '' }: CommandRoute): Route =>
  callerRoute(
    {
      ...ORDER_COMMANDS[type],
      summary,
      method: 'POST',
      path: `/v1/orders/:orderId/${what}`,
      subject: 'orderId',
      details: `${DETAILS} ${details}`.trim(),
      params,
      headers: { ...HEADERS.idempotencyKey, ...HEADERS.expectedVersion, ...HEADERS.prefer },
      answers,
    },
    async (call) => {
      const { orderId } = call.params;
      const { userId, role } = call.caller;
      const addressed = { orderId, actor: { userId, role }, expectedVersion: versionOfIfMatch(call.headers) };
      return send(sendCommand, { orderId, type, data: { ...call.body, ...addressed }, call });
    },
  );

export const orderRoutes = (sendCommand: SendCommand): Route[] => [
  callerRoute(
    {
      method: 'POST',
      path: '/v1/orders',
      summary: 'Order products, at the prices of the moment',
      details: DETAILS,
      ...ORDER_COMMANDS[CREATE_ORDER],
      headers: { ...HEADERS.idempotencyKey, ...HEADERS.prefer },
      answers,
    },
    async (call) => {
      const orderId = nameId('order', call.caller.userId, idempotencyKey(call.headers));
      const data = { ...call.body, orderId, customerId: call.caller.userId };
      return send(sendCommand, { orderId, type: CREATE_ORDER, data, call });
    },
  ),
  ...ON_ORDER.map((route) => onOrder(sendCommand, route)),
];
