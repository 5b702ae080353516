/** POST /v1/events: CloudEvents of whoever may push them → commands; 202 once JetStream holds them all. */
import * as z from 'zod/mini';
import { BATCH, MOST_EVENTS, STRUCTURED } from '../../runtime/cloud-event.ts';
import { AppError, toAppError } from '../../runtime/errors.ts';
import { callerRoute, type Route } from '../../runtime/http.ts';
import { readTrace, type Trace } from '../../runtime/trace.ts';
import { PUSH_EVENTS } from '../../users/access-token.ts';
import { named } from '../answers.ts';
import { type PushedEvent, pushedBatch, pushedEvent } from './accepted.ts';
import { commandOf, type PushedCommand } from './command.ts';
import { readPushed } from './read.ts';

/** Resolves to the id by which the command will be known in the order's history, when JetStream holds it. */
export type PublishCommand = (command: PushedCommand, trace: Trace) => Promise<string>;

const pushed = named(
  z.object({
    events: z.array(
      z.object({ source: z.string(), id: z.string(), type: z.string(), orderId: z.uuid(), commandId: z.uuid() }),
    ),
  }),
  'Pushed',
  'The events that are stored and not yet handled, as they were sent. Each is `commandId` in the history of its order; a ' +
    'shipment or a refund that it makes has that id too.',
);

const binaryHeader = (description: string) => ({ description: `${description} For an event whose data is the body.` });
const headers = {
  'ce-specversion': binaryHeader('1.0.'),
  'ce-id': binaryHeader('As `id` of an event in JSON.'),
  'ce-source': binaryHeader('As `source`.'),
  'ce-type': binaryHeader('As `type`.'),
  'ce-subject': binaryHeader('As `subject`.'),
  'ce-traceparent': binaryHeader('As `traceparent`.'),
};

/** What was stored before the failure stays: the same events again are safe, and the way out. */
function asPushFailure(thrown: unknown): never {
  const error = toAppError(thrown);
  if (error.code !== 'unavailable') throw error;
  const message = 'Not all events are stored; push the same again, nothing is done twice';
  throw new AppError('unavailable', error.slug, message, { cause: error });
}

export const eventRoutes = (publish: PublishCommand): Route[] => [
  callerRoute(
    {
      method: 'POST',
      path: '/v1/events',
      summary: 'Push CloudEvents that trigger functions',
      details:
        `One event, as \`${STRUCTURED}\` or as JSON data with its attributes in \`ce-\` headers, or up to ${MOST_EVENTS} ` +
        `as \`${BATCH}\`: all or, when one is not valid or not allowed, none. An event is a command, done in your name; ` +
        'its data is what the body of the request for it would be. What the command leads to is in the history of the ' +
        'order. The same `type`, `source` and `id` again change nothing, whatever else is in the event: the first one counts. ' +
        '503: some may be stored, push the same again.',
      scope: PUSH_EVENTS,
      takes: {
        [STRUCTURED]: pushedEvent,
        [BATCH]: pushedBatch,
        'application/json': z.record(z.string(), z.unknown()),
      },
      headers,
      answers: { 202: pushed },
    },
    async (call) => {
      const push = async (event: PushedEvent) => {
        const command = commandOf(event, call.caller);
        const commandId = await publish(command, readTrace(event.traceparent) ?? call.trace);
        const { source, id, type } = event;
        return { source, id, type, orderId: command.orderId, commandId };
      };
      const events = await Promise.all(readPushed(call, call.caller).map(push)).catch(asPushFailure);
      return { status: 202, body: { events } };
    },
  ),
];
