/** POST /v1/orders → command.order.create → 201 once it is stored, 202 when that outlasts `Prefer: wait`. */
import { CREATE_ORDER, orderRequest } from '../../orders/commands.ts';
import type { SendCommand } from '../../runtime/command-sender.ts';
import { invalid } from '../../runtime/errors.ts';
import { callerRoute, type Route } from '../../runtime/http.ts';
import { nameId } from '../../runtime/ids.ts';
import { errorOf } from '../../runtime/message.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const DEFAULT_WAIT_SECONDS = 5;
/** Less than a drain may take: who waits is answered before the process ends. */
const MAX_WAIT_SECONDS = 20;

/** The Idempotency-Key of a request: 1 to 255 visible characters. */
export function idempotencyKey(headers: Headers): string {
  const key = headers['idempotency-key'];
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const message = 'must be 1 to 255 visible ASCII characters, new for each order, the same for each try';
  throw invalid('no-idempotency-key', `Send the header Idempotency-Key; it ${message}`, [
    { field: 'Idempotency-Key', message },
  ]);
}

/** Milliseconds of `Prefer: wait=N` (RFC 7240); a preference that makes no sense is ignored. */
export function waitMs(headers: Headers): number {
  const [, seconds] = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/i.exec(String(headers.prefer ?? '')) ?? [];
  return Math.min(Number(seconds ?? DEFAULT_WAIT_SECONDS), MAX_WAIT_SECONDS) * 1_000;
}

export const orderRoutes = (sendCommand: SendCommand): Route[] => [
  callerRoute({ method: 'POST', path: '/v1/orders', body: orderRequest }, async ({ body, headers, caller, trace }) => {
    const key = idempotencyKey(headers);
    // Named after the key: every try of the request means the same command and the same order.
    const orderId = nameId('order', caller.userId, key);
    const id = nameId('create-order', caller.userId, key);
    const data = { ...body, orderId, customerId: caller.userId };
    const outcome = await sendCommand({ id, type: CREATE_ORDER, subject: orderId, data, trace }, waitMs(headers));
    const location = `/v1/orders/${orderId}`;
    if (!outcome) return { status: 202, body: { orderId, status: 'accepted' }, headers: { location } };
    const error = errorOf(outcome);
    if (error) throw error;
    return { status: 201, body: outcome.result, headers: { location } };
  }),
];
