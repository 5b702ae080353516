/** A projector → where its events are kept: the event store of their aggregate, or else the stream itself. */
import type pg from 'pg';
import type { ProjectorDefinition } from '../../../functions/runtime/handling/projection.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import { readContexts } from '../../registry/contexts.ts';
import { storeSource } from './replay.ts';
import type { Source } from './replayed.ts';
import { streamSource } from './stream.ts';

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
