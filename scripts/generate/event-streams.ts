/** Contexts → the streams of their events, as each declares its own. Pure. */
import type { StreamSpec } from '../manifests/jetstream-yaml.ts';
import type { DefinedContext } from '../registry/contexts.ts';

/** An event is never changed, dropped or deleted; all events of a decision are stored, or none. */
const LOG = {
  retention: 'limits',
  storage: 'file',
  replicas: 1,
  discard: 'new',
  maxMsgSize: 524_288,
  maxAge: '0s',
  duplicateWindow: '5m',
  allowAtomicPublish: true,
  allowDirect: true,
  denyDelete: true,
  denyPurge: true,
  preventDelete: true,
} as const;

/** `parcel.sent` → `parcel.>`, with all that happens to parcels. */
const subjectOf = (type: string): string => `${type.split('.')[0]}.>`;

function streamOf({ name, stream, events = {} }: DefinedContext): StreamSpec[] {
  const subjects = [...new Set(Object.keys(events).map(subjectOf))].sort();
  if (stream && subjects.length > 0) return [{ ...stream, subjects, ...LOG }];
  if (!stream && subjects.length === 0) return [];
  const [has, lacks] = stream ? ['a stream', 'events'] : ['events', 'a stream'];
  throw new Error(`functions/${name}/context.ts declares ${has}, but not ${lacks}: declare both, or neither`);
}

/** By context. Throws when a context has events and no stream, or the other way round. */
export const eventStreams = (contexts: readonly DefinedContext[]): StreamSpec[] => contexts.flatMap(streamOf);
