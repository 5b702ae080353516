/** Events in any schema version that was ever stored → today's version; and what is published of them. Pure. */

import type { Aggregate, DomainEvent } from '../aggregate.ts';
import { unavailable } from '../errors.ts';

/** An event as it lies in the store; `schemaVersion` is that of its data, 1 for the first. */
export type WrittenEvent = {
  readonly version: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: object;
};

/** undefined for a type that today's code does not know. */
function upcastersOf<State, Event extends DomainEvent>(aggregate: Aggregate<State, Event>, type: string) {
  const all = aggregate.upcasters as Readonly<Record<string, readonly ((older: object) => object)[]>>;
  return Object.hasOwn(all, type) ? all[type] : undefined;
}

/** The schema version in which today's code stores events of a type. */
export const schemaVersionOf = <State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  type: Event['type'],
): number => (upcastersOf(aggregate, type)?.length ?? 0) + 1;

/** The event in today's schema version. Throws `unavailable` when only newer code can know its type or its version. */
export function upcast<State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  aggregateId: string,
  { version, type, schemaVersion, data }: WrittenEvent,
): Event {
  const upcasters = upcastersOf(aggregate, type);
  if (!upcasters || schemaVersion > upcasters.length + 1)
    throw unavailable(
      'newer-event',
      `Event ${version} of ${aggregate.name} ${aggregateId} is stored as ${type}@${schemaVersion}; this code knows ` +
        `${upcasters ? `${type} up to @${upcasters.length + 1}` : 'no such type'}: deploy the newer code`,
    );
  const upcasted = upcasters.slice(schemaVersion - 1).reduce((older, next) => next(older), data);
  return { type, data: upcasted } as Event;
}

/** What the stream carries of an event: its change, and the public form of the state after it. */
export const publishedData = <State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  event: Event,
  after: State,
  version: number,
): object => ({ ...event.data, [aggregate.name]: aggregate.publish(after, version) });
