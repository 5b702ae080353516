/** A projector → where its events are kept: the event store of their aggregate, or else the stream itself. */
import type pg from 'pg';
import type { ProjectorDefinition, ReadEvent } from '../../../functions/runtime/handling/projection.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import type { Queries } from '../../../functions/runtime/postgres.ts';
import { readContexts } from '../../registry/contexts.ts';
import { storeSource } from './replay.ts';
import { streamSource } from './stream.ts';

/** Events for the projector; `read` counts those that it does not take, too. */
export type Replayed = { readonly events: readonly ReadEvent[]; readonly read: number };

/** Events, of which the fresh tables may lack what the live ones show. */
export type Missing = {
  /** Of what there are so many. */
  readonly what: string;
  readonly count: number;
  read(): AsyncIterable<Replayed>;
  /** They are in the fresh tables for good. */
  written(): void;
};

export type Source = {
  /** Where they are, for people. */
  readonly place: string;
  /** Some are not as their schemas say: live they became dead letters. */
  readonly unchecked: boolean;
  /** How many events there are, of all types. */
  count(): Promise<number>;
  all(): AsyncIterable<Replayed>;
  /** While nobody writes the live tables it leaves out nothing that they show. */
  missing(database: Queries): Promise<Missing>;
};

/** Throws when no context has the stream, or its events are kept nowhere from the first one on. */
export async function sourceOf(
  database: pg.Pool,
  projector: ProjectorDefinition,
  connect: () => Promise<Bus>,
): Promise<Source> {
  const { stream, consumes, key, applied } = projector;
  const context = (await readContexts()).find((one) => one.stream?.name === stream);
  if (!context)
    throw new Error(
      `No context has the stream ${stream}: declare \`stream: { name: '${stream}', … }\` in the context.ts of the context whose events they are`,
    );
  const stored = context.aggregates?.find(({ aggregate: { name } }) =>
    consumes.every((type) => type.startsWith(`${name}.`)),
  )?.aggregate;
  // Without the id in its key no row says of which aggregate it is: the stream tells what the live table may show.
  const named = stored && (applied !== undefined || key.includes(`${stored.name}_id`));
  return named ? storeSource(database, stored, projector) : streamSource(await connect(), projector);
}
