/** What projectors share: a batch of events → one statement on the tables that the projector names. */
import type * as z from 'zod/mini';
import { invalid } from '../errors.ts';
import type { Definition } from '../function.ts';
import { type NatsSettings, natsSettings, openBus } from '../jetstream/connection.ts';
import type { Incoming } from '../messages/message.ts';
import { type DatabaseSettings, databaseError, databaseSettings, openDatabase, type Queries } from '../postgres.ts';
import { validate } from '../schema.ts';
import { consume } from './consume.ts';
import { pushHandler } from './push.ts';

/** Event type → schema of its data. */
export type Schemas = Readonly<Record<string, z.ZodMiniType>>;

export type EventOf<Accepts extends Schemas> = {
  [Type in keyof Accepts]: { readonly type: Type; readonly data: z.infer<Accepts[Type]> };
}[keyof Accepts];

type Tables = {
  readonly stream: string;
  readonly table: string;
  /** The columns of the table's primary key. */
  readonly key: readonly string[];
  /** The table of the ids of events that were added; none for a projector that keeps the newest row. */
  readonly applied?: string;
};

type Projection<Accepts extends Schemas> = Tables & {
  readonly accepts: Accepts;
  write(
    database: Queries,
    events: readonly (EventOf<Accepts> & { readonly id: string })[],
    suffix: string,
  ): Promise<unknown>;
};

/** An event as it is read from its stream or its store. */
export type ReadEvent = Pick<Incoming, 'id' | 'type' | 'data'>;

/** A projector, with what it takes to build its tables anew. */
export type ProjectorDefinition = Definition<NatsSettings & DatabaseSettings> &
  Tables & {
    readonly kind: 'projector';
    /** All that it writes, in the order in which it locks them. */
    readonly tables: readonly string[];
    /**
     * Writes what events make of its tables, or of others like them whose names end in `suffix`. Throws `invalid` before it
     * writes anything when the data of one is not as its schema says.
     */
    write(database: Queries, events: readonly ReadEvent[], suffix?: string): Promise<void>;
  };

const IN_FLIGHT = 384;
export const BATCH = 192;

export function projection<const Accepts extends Schemas>(spec: Projection<Accepts>): ProjectorDefinition {
  const { stream, table, key, applied } = spec;
  const parse = ({ id, type, data }: ReadEvent) => {
    const schema = spec.accepts[type];
    if (!schema) throw invalid('wrong-type', `This projector has no use for '${type}'`);
    const valid = validate(schema, data, `The event ${type}`, 'invalid-event');
    return { id, type, data: valid } as EventOf<Accepts> & { readonly id: string };
  };
  const write: ProjectorDefinition['write'] = async (database, events, suffix = '') => {
    const parsed = events.map(parse);
    try {
      await spec.write(database, parsed, suffix);
    } catch (error) {
      throw databaseError(error);
    }
  };
  const types = Object.keys(spec.accepts);
  return {
    kind: 'projector',
    settings: { ...natsSettings, ...databaseSettings },
    consumes: types,
    publishes: [],
    schedules: [],
    inFlight: IN_FLIGHT,
    stream,
    table,
    key,
    ...(applied ? { applied } : {}),
    tables: applied ? [applied, table] : [table],
    write,
    async start(shell) {
      const bus = await openBus(shell);
      const database = openDatabase(shell);
      const options = { stream, consumer: shell.name, types, inFlight: IN_FLIGHT, batch: BATCH, concurrency: 1 };
      return {
        ...consume(shell, bus, options, (batch) => write(database, batch)),
        http: pushHandler(shell.log, (batch) => write(database, batch)),
      };
    },
  };
}
