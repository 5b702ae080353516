/** Work queues → what no consumer will ever take, such as a command whose type is misspelt: moved to the dead letters. */
import type { Bus } from '../../functions/runtime/bus.ts';
import { DEAD } from '../../functions/runtime/failure.ts';
import { ATTEMPTS_HEADER, CARRIED, ORIGIN_HEADER } from '../../functions/runtime/retries.ts';
import { parseHeaders, removeMessage, storedMessages } from './letters.ts';

/** A stream whose messages are deleted when they are done, and the subjects that are nobody's work by purpose. */
type Queue = { readonly stream: string; readonly keeps: RegExp };
const QUEUES: readonly Queue[] = [
  { stream: 'COMMANDS', keeps: /^parked\./ },
  { stream: 'RETRIES', keeps: /^waiting\./ },
];

/** The function of letters that belong to none. */
const NOBODY = 'nobody';

type ConsumerNames = { readonly consumers: readonly { readonly config: Filters }[] | null };
type Filters = { readonly filter_subject?: string; readonly filter_subjects?: readonly string[] };

const toPattern = (filter: string): RegExp =>
  new RegExp(`^${filter.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replace(/>$/, '.+')}$`);

async function filtersOf(bus: Bus, stream: string): Promise<RegExp[]> {
  const { consumers } = await bus.api<ConsumerNames>(`CONSUMER.LIST.${stream}`, {});
  return (consumers ?? [])
    .flatMap(({ config }) => config.filter_subjects ?? [config.filter_subject ?? '>'])
    .map(toPattern);
}

async function orphanSubjects(bus: Bus, { stream, keeps }: Queue): Promise<string[]> {
  const filters = await filtersOf(bus, stream);
  const { state } = await bus.api<{ state: { subjects?: Readonly<Record<string, number>> } }>(`STREAM.INFO.${stream}`, {
    subjects_filter: '>',
  });
  return Object.keys(state.subjects ?? {}).filter(
    (subject) => !keeps.test(subject) && !filters.some((filter) => filter.test(subject)),
  );
}

export type Stray = {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly at: string;
};

/** Moves what has been there longer than `olderThanMs`: a function that is being deployed has its consumer by then. */
export async function sweep(
  bus: Bus,
  olderThanMs: number,
  dryRun: boolean,
  tell: (stray: Stray) => void,
): Promise<void> {
  const before = Date.now() - olderThanMs;
  for (const queue of QUEUES)
    for (const subject of await orphanSubjects(bus, queue))
      for await (const { message } of storedMessages(bus, queue.stream, subject)) {
        if (Date.parse(message.time) > before) break;
        tell({ stream: queue.stream, sequence: message.seq, subject, at: message.time });
        if (dryRun) continue;
        const nanos = `${Date.parse(message.time)}000000`;
        const headers = {
          ...Object.fromEntries(Object.entries(parseHeaders(message.hdrs)).filter(([name]) => CARRIED.test(name))),
          [ORIGIN_HEADER]: [queue.stream, message.seq, nanos, subject].join(' '),
          [ATTEMPTS_HEADER]: '0',
          [DEAD.function]: NOBODY,
          [DEAD.consumer]: NOBODY,
          [DEAD.error]: 'no-consumer',
          [DEAD.message]: `No consumer of ${queue.stream} takes ${subject}`,
        };
        const payload = Buffer.from(message.data ?? '', 'base64');
        await bus.publish(`dead.${NOBODY}`, payload, headers, `${NOBODY} ${queue.stream} ${message.seq} ${nanos}`);
        await removeMessage(bus, queue.stream, message.seq);
      }
}
