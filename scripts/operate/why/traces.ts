/** Where the traces are → all spans of what is asked about: the local platform's gateway, or Jaeger's query API. */
import { readSpans, type Span } from '../../platform/telemetry/spans.ts';
import { ASKED_BY } from '../../platform/telemetry/telemetry.ts';
import { forestOf } from './forest.ts';

export type By = keyof typeof ASKED_BY;
export type Found = { readonly by: By; readonly spans: readonly Span[] };
/** What is asked about may be a subject, the id of an event, or the key of a notification. */
type Search = (by: By, value: string) => Promise<readonly Span[]>;

const WAYS = Object.keys(ASKED_BY) as By[];
const TIMEOUT_MS = 10_000;
const SEARCHED_MS = 7 * 24 * 3_600_000;
const MOST_TRACES = 100;

/** Undefined when nothing is found in any way. */
async function findBy(search: Search, value: string): Promise<Found | undefined> {
  for (const by of WAYS) {
    const spans = await search(by, value);
    if (spans.length > 0) return { by, spans };
  }
  return undefined;
}

type Answer = { readonly status: number; readonly text: string };

async function get(url: URL, what: string): Promise<Answer> {
  const problem = (why: string): Error => new Error(`${what} at ${url.origin} ${why}`);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    if (response.ok || response.status === 404) return { status: response.status, text };
    throw problem(`answers ${response.status}`);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith(what)) throw error;
    throw problem('does not answer');
  }
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${what} answers with something else than JSON`);
  }
}

/** The subject that was asked about, or of the event or notification that was; '' when no span says it. */
export function subjectAmong({ by, spans }: Found, value: string): string {
  if (by === 'subject') return value;
  const hasSubject = ({ attributes }: Span): boolean => ASKED_BY.subject in attributes;
  const own = spans.find(({ attributes }) => attributes[ASKED_BY[by]] === value);
  const about = own && (hasSubject(own) ? own : forestOf(spans).above(own, hasSubject));
  return String(about?.attributes[ASKED_BY.subject] ?? '');
}

/** From the platform that `npm start` runs; throws when it is not there, or keeps no traces. */
export function findInPlatform(platform: string, value: string): Promise<Found | undefined> {
  const what = 'the platform';
  return findBy(async (by) => {
    const url = new URL('/_local/traces', platform);
    url.searchParams.set(by, value);
    const { status, text } = await get(url, what);
    const body = parse(text, what) as { readonly spans: readonly Span[]; readonly detail?: string };
    if (status === 404) throw new Error(`${body.detail}; ask Jaeger by --jaeger <url>`);
    return body.spans;
  }, value);
}

/** One document, or one a line. */
function readAnswer({ status, text }: Answer, what: string): Span[] {
  if (status === 404) return [];
  const documents = text.includes('\n{') ? text.split('\n').filter(Boolean) : [text];
  return documents.flatMap((document) => readSpans((parse(document, what) as { result?: unknown }).result, what));
}

/** From Jaeger 2; throws when it does not answer. The last seven days are searched. */
export function findInJaeger(base: string, value: string, now = Date.now()): Promise<Found | undefined> {
  const what = 'Jaeger';
  const at = (path: string, query: Readonly<Record<string, string>> = {}): URL => {
    const url = new URL(`${base.replace(/\/+$/, '')}${path}`);
    for (const [name, text] of Object.entries(query)) url.searchParams.set(name, text);
    return url;
  };
  const traceOf = async (id: string): Promise<Span[]> => readAnswer(await get(at(`/api/v3/traces/${id}`), what), what);

  const idsOf = async (service: string, attribute: string): Promise<string[]> => {
    const wanted = JSON.stringify({ [attribute]: value });
    const query = {
      'query.service_name': service,
      'query.start_time_min': new Date(now - SEARCHED_MS).toISOString(),
      'query.start_time_max': new Date(now).toISOString(),
      'query.search_depth': String(MOST_TRACES),
      'query.attributes': wanted,
    };
    const spans = readAnswer(await get(at('/api/v3/traces', query), what), what);
    const having = spans.filter(({ attributes }) => attributes[attribute] === value).map(({ traceId }) => traceId);
    // Before query.attributes was heeded, the newest traces were the answer: then only the older API can search.
    if (having.length > 0 || spans.length === 0) return having;
    const older = await get(
      at('/api/traces', { service, tags: wanted, limit: String(MOST_TRACES), lookback: '7d' }),
      what,
    );
    if (older.status === 404) return [];
    const { data } = parse(older.text, what) as { data?: readonly { traceID: string }[] | null };
    return (data ?? []).map(({ traceID }) => traceID.padStart(32, '0'));
  };

  let services: Promise<readonly string[]> | undefined;
  const readServices = async (): Promise<readonly string[]> => {
    const body = parse((await get(at('/api/v3/services'), what)).text, what);
    return (body as { services?: readonly string[] }).services ?? [];
  };
  return findBy(async (by) => {
    services ??= readServices();
    const ids = await Promise.all((await services).map((service) => idsOf(service, ASKED_BY[by])));
    const spans = (await Promise.all([...new Set(ids.flat())].slice(0, MOST_TRACES).map(traceOf))).flat();
    const known = new Set(spans.map(({ traceId }) => traceId));
    const linked = new Set(
      spans.flatMap(({ links }) => links.map(({ traceId }) => traceId)).filter((id) => !known.has(id)),
    );
    return [...spans, ...(await Promise.all([...linked].slice(0, MOST_TRACES).map(traceOf))).flat()];
  }, value);
}
