/** Messages are sent in a span whose context goes with them: so a trace goes on where they are handled. */

import { filterOf, typeOfSubject } from '../messages/message.ts';
import { inSpan, recording } from '../trace.ts';
import type { Payload } from './client.ts';
import type { Bus } from './connection.ts';

type Headers = Readonly<Record<string, string>>;

/** Does `publish` as the sending of a message, with the headers that it is to have; a timer's is due later, RFC 3339. */
export async function sending<Result>(
  subject: string,
  headers: Headers,
  publish: (headers: Headers) => Promise<Result>,
  dueAt?: string,
): Promise<Result> {
  if (!recording()) return publish(headers);
  const type = headers['ce-type'] ?? typeOfSubject(subject);
  const attributes = {
    'messaging.system': 'nats',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': subject.startsWith('retry.') ? subject : filterOf(type),
    'cloudevents.event_type': type,
    ...(headers['ce-id'] ? { 'messaging.message.id': headers['ce-id'] } : {}),
    ...(dueAt ? { 'millrace.send.due_at': dueAt } : {}),
  };
  const options = {
    kind: 'producer',
    parent: headers.traceparent,
    subject: headers['ce-subject'],
    attributes,
  } as const;
  return inSpan(`send ${type}`, options, ({ trace }) => publish({ ...headers, traceparent: trace.traceparent }));
}

/** Stores a message as `Bus.publish` does, in a span of the trace that its headers name. */
export const send = (
  bus: Bus,
  subject: string,
  payload: Payload,
  headers: Headers,
  messageId: string,
): Promise<number> => sending(subject, headers, (own) => bus.publish(subject, payload, own, messageId));
