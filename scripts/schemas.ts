/** `npm run schemas`: accepts today's schemas of events and snapshots into functions/<context>/schemas, unless old data or old readers could not stand them. */
import { acceptSchemas, todaysSchemas } from './registry/schemas.ts';

try {
  const changed = acceptSchemas(await todaysSchemas());
  console.log(changed.length > 0 ? changed.map((name) => `accepted ${name}`).join('\n') : 'no schema has changed');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
