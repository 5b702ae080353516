/** A JetStream stream → its events as a projector takes them: for those that no event store keeps. */
import type { ProjectorDefinition, ReadEvent } from '../../../functions/runtime/handling/projection.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import { fromDelivered, typeOfSubject } from '../../../functions/runtime/messages/message.ts';
import { parseHeaders, type Stored, storedMessage } from '../dead-letters/dead-letters.ts';
import { nanosOf } from '../dead-letters/sweep.ts';
import type { Replayed, Source } from './replayed.ts';

/** Requests to the server that are on their way together. */
const AT_ONCE = 256;

type State = { readonly messages: number; readonly first_seq: number; readonly last_seq: number };

function toEvent(stream: string, { message: { subject, seq, time, hdrs, data = '' } }: Stored): ReadEvent {
  const stored = { subject, stream, sequence: seq, storedAtNanos: nanosOf(time), attempts: 1 };
  return fromDelivered({ ...stored, headers: parseHeaders(hdrs), data: Buffer.from(data, 'base64') }, () => undefined);
}

/** Those that the projector takes and that can be read: the others became dead letters. */
function eventsOf(stream: string, wanted: ReadonlySet<string>, found: readonly (Stored | undefined)[]): ReadEvent[] {
  return found.flatMap((stored) => {
    if (!stored || !wanted.has(typeOfSubject(stored.message.subject))) return [];
    try {
      return [toEvent(stream, stored)];
    } catch {
      return [];
    }
  });
}

/** Throws when the stream has lost its beginning. */
export async function streamSource(bus: Bus, { stream, consumes, table }: ProjectorDefinition): Promise<Source> {
  const wanted = new Set(consumes);
  const stateNow = async (): Promise<State> => (await bus.api<{ state: State }>(`STREAM.INFO.${stream}`)).state;
  const { messages, first_seq } = await stateNow();
  if (messages > 0 && first_seq > 1)
    throw new Error(
      `Stream ${stream} begins with message ${first_seq}: what came before is not kept, and ${table} made of the rest would be wrong. ` +
        'Restore the stream from its backup, or leave the table as it is',
    );
  let upTo = 0;

  async function* read(from: number, to: number): AsyncGenerator<Replayed> {
    for (let first = from; first <= to; first += AT_ONCE) {
      const sequences = Array.from({ length: Math.min(AT_ONCE, to - first + 1) }, (_, index) => first + index);
      const found = await Promise.all(sequences.map((seq) => storedMessage(bus, stream, { seq })));
      yield { events: eventsOf(stream, wanted, found), read: sequences.length };
    }
  }
  const missing = async () => {
    const { last_seq: last } = await stateNow();
    const written = (): void => {
      upTo = last;
    };
    return { what: 'events', count: last - upTo, read: () => read(upTo + 1, last), written };
  };
  return {
    place: `stream ${stream}`,
    unchecked: true,
    count: async () => (await stateNow()).messages,
    async *all() {
      const { read, written } = await missing();
      yield* read();
      written();
    },
    missing,
  };
}
