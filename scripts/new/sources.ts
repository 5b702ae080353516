/** What the sources of the kinds share. Pure. */
import type * as z from 'zod/mini';
import type { NewFunction } from './request.ts';
import { sample } from './sample.ts';

/** Name of a file in the function's folder → its text, which Biome formats later. */
export type Sources = Readonly<Record<string, string>>;

/** From a function of `context` to a module of another one or of its own. */
const pathTo = (context: string, owner: string, file: string): string =>
  context === owner ? `../${file}` : `../../${owner}/${file}`;

/** What the code of a function says about the events that it takes. */
export function wordsOf({ context, events, publisher }: NewFunction) {
  if (!publisher?.eventNames) throw new Error(`nobody publishes ${events.join(', ')}`);
  const { stream, schemas } = publisher.eventNames;
  const [first = ''] = events;
  const schema = publisher.events?.[first] as z.ZodMiniType;
  return {
    list: events.join(', '),
    stream,
    schemas,
    module: pathTo(context.name, publisher.name, 'events.ts'),
    data: `z.infer<(typeof ${schemas})[${events.map((event) => `'${event}'`).join(' | ')}]>`,
    accepts: `{ ${events.map((event) => `'${event}': ${schemas}['${event}']`).join(', ')} }`,
    /** Data of the first event, which its schema checks. */
    example: `${schemas}['${first}'].parse(${JSON.stringify(sample(schema))})`,
  };
}
