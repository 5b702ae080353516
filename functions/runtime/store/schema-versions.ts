/** Events in any form in which they were ever stored → the form that today's code knows; and what is published of them. Pure. */
import { unavailable } from '../errors.ts';
import type { Aggregate, DomainEvent } from './event-store.ts';

/** An event as it lies in the store; `form` is the version of its data's schema, 1 for the first. */
export type WrittenEvent = {
  readonly version: number;
  readonly type: string;
  readonly form: number;
  readonly data: object;
};

type Raise<Data extends object> = (older: never) => Data;

/** What raises form 1 to 2, 2 to 3 and so on; the last one gives today's form. Without any, today's form is 1. */
type Raises<Data extends object> = readonly [] | readonly [...Raise<object>[], Raise<Data>];

export type Upcasters<Event extends DomainEvent> = {
  readonly [Type in Event['type']]: Raises<Extract<Event, { readonly type: Type }>['data']>;
};

/** undefined for a type that today's code does not know. */
function upcastersOf<State, Event extends DomainEvent>(aggregate: Aggregate<State, Event>, type: string) {
  const all = aggregate.stored as Readonly<Record<string, readonly ((older: object) => object)[]>>;
  return Object.hasOwn(all, type) ? all[type] : undefined;
}

/** The form in which today's code stores events of a type. */
export const schemaVersionOf = <State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  type: Event['type'],
): number => (upcastersOf(aggregate, type)?.length ?? 0) + 1;

/** The event in its newest form. Throws `unavailable` when only newer code can know its type or its form. */
export function raise<State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  aggregateId: string,
  { version, type, form, data }: WrittenEvent,
): Event {
  const raises = upcastersOf(aggregate, type);
  if (!raises || form > raises.length + 1)
    throw unavailable(
      'newer-event',
      `Event ${version} of ${aggregate.name} ${aggregateId} is stored as ${type}@${form}; this code knows ` +
        `${raises ? `${type} up to @${raises.length + 1}` : 'no such type'}: deploy the newer code`,
    );
  const raised = raises.slice(form - 1).reduce((older, next) => next(older), data);
  return { type, data: raised } as Event;
}

/** What the stream carries of an event: its change, and the public form of the state after it. */
export const publishedData = <State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  event: Event,
  after: State,
  version: number,
): object => ({ ...event.data, [aggregate.name]: aggregate.publish(after, version) });
