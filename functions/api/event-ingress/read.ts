/** A request → the events pushed in it, each as it must be, or the fault of the first that is not, by its index. Pure. */
import { readCloudEvents } from '../../runtime/cloud-event.ts';
import { AppError, invalid } from '../../runtime/errors.ts';
import type { HttpRequest } from '../../runtime/function.ts';
import { validate } from '../../runtime/schema.ts';
import { ORDER_COMMANDS } from '../order-commands.ts';
import { type PushedEvent, pushedBatch, pushedEvent } from './accepted.ts';

type Sender = { readonly role: string };

const SLUG = 'invalid-cloud-event';

/** One id twice in a batch: which of the two is meant would depend on chance. */
function refuseTwins(events: readonly PushedEvent[]): void {
  const seen = new Map<string, number>();
  events.forEach(({ source, id }, index) => {
    const name = JSON.stringify([source, id]);
    const twin = seen.get(name);
    if (twin !== undefined) {
      const message = `is that of event ${twin} too, from the same source; send it once`;
      throw invalid(SLUG, `The batch is not valid: [${index}].id ${message}`, [{ field: `[${index}].id`, message }]);
    }
    seen.set(name, index);
  });
}

/** Throws `forbidden`, `wrong-role`, for the first event whose command takes another role by HTTP too. */
function refuseOthersWork(events: readonly PushedEvent[], sender: Sender, placeOf: (index: number) => string): void {
  events.forEach(({ type }, index) => {
    const { role } = ORDER_COMMANDS[type];
    if (role === undefined || role === sender.role) return;
    const fields = [{ field: `${placeOf(index)}type`, message: `is for ${role} alone` }];
    throw new AppError('forbidden', 'wrong-role', `Only ${role} may push ${type}`, { fields });
  });
}

/** Fields are named as in the event (`data.carrier`), and in a batch after its index (`[3].data.carrier`). */
export function readPushed(request: Pick<HttpRequest, 'headers' | 'body'>, sender: Sender): readonly PushedEvent[] {
  const sent = readCloudEvents(request);
  if (sent.form === 'single') {
    const event = validate(pushedEvent, sent.event, 'The CloudEvent', SLUG);
    refuseOthersWork([event], sender, () => '');
    return [event];
  }
  const events = validate(pushedBatch, sent.events, 'The batch', SLUG);
  refuseTwins(events);
  refuseOthersWork(events, sender, (index) => `[${index}].`);
  return events;
}
