/** What can be asked of the console below /console/api/, and what answers it. */
import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { notFound } from '../../../functions/runtime/errors.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import type { Database } from '../../../functions/runtime/postgres.ts';
import { validate } from '../../../functions/runtime/schema.ts';
import { textOf } from '../../operate/scale/explain/text.ts';
import type { FunctionState } from '../scaling/scaler.ts';
import type { Mail } from '../servers/mailbox.ts';
import type { Point } from '../telemetry/points.ts';
import type { Span } from '../telemetry/spans.ts';
import { aggregateOf, type NamedAggregate, newestStreams, readVersions } from './aggregates.ts';
import { discardDeadLetter, listDeadLetters, redriveDeadLetter, showDeadLetter } from './dead-letters.ts';
import { lateRows, readModels } from './read-models.ts';
import { rulesToday } from './rules.ts';
import type { Counts, MailLine, TraceSpan } from './wire.ts';

/** What the console looks at. */
export type Sources = {
  readonly bus: Bus;
  readonly database: Database;
  readonly aggregates: readonly NamedAggregate[];
  states(): readonly FunctionState[];
  /** undefined where telemetry goes elsewhere, as of `spansOf`. */
  points(): readonly Point[] | undefined;
  spansOf(subject: string): readonly Span[] | undefined;
  mails(): readonly Mail[];
  counts(): Promise<Counts>;
};
/** `names`: the parts of the path that differ. */
export type Asked = { readonly names: readonly string[]; readonly query: URLSearchParams };
export type Answer = { readonly body?: unknown; readonly html?: string };
export type Route = {
  readonly method: 'GET' | 'POST';
  /** Of what follows /console/api/. */
  readonly path: RegExp;
  answer(sources: Sources, asked: Asked): Promise<Answer>;
};

const MOST_SPANS = 2_000;
const MOST_MAILS = 200;

const aggregateId = z.object({ id: z.uuid('must be a UUID, as the list of aggregates shows it') });
const deadLetterId = z.object({
  id: z.string().check(z.regex(/^[1-9]\d{0,14}$/, 'must be the number of a dead letter, as their list shows it')),
});

const idOf = ({ names: [, id = ''] }: Asked): string => validate(aggregateId, { id }, 'The path').id;
const deadLetterOf = ({ names: [id = ''] }: Asked): number => Number(validate(deadLetterId, { id }, 'The path').id);

const mailIdOf = (mail: Mail): string =>
  createHash('sha256')
    .update(JSON.stringify([mail.receivedAt, mail.to, mail.subject, mail.headers['message-id']]))
    .digest('hex')
    .slice(0, 16);

const toMailLine = (mail: Mail): MailLine => {
  const { to, from, subject, receivedAt } = mail;
  return { id: mailIdOf(mail), to, from, subject, receivedAt };
};

function mailOf(sources: Sources, { names: [id = ''] }: Asked): Mail {
  const mail = sources.mails().find((one) => mailIdOf(one) === id);
  if (mail) return mail;
  throw notFound('no-such-mail', `There is no e-mail ${id} in the mailbox, or not any more`);
}

function functionOf(sources: Sources, { names: [name = ''] }: Asked): FunctionState {
  const states = sources.states();
  const found = states.find((state) => state.name === name);
  if (found) return found;
  const names = states.map((state) => state.name).join(', ');
  throw notFound('no-such-function', `There is no function '${name}'; there are ${names}`);
}

/** As `npx millrace scale explain` says it, a line each. */
const whyOf = (state: FunctionState): string[] =>
  textOf(state, Date.now())
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

const aggregateIn = (aggregates: readonly NamedAggregate[], { names: [name = ''] }: Asked) =>
  aggregateOf(aggregates, name);

const isAbout = ({ subject, text }: Mail, id: string): boolean => subject.includes(id) || text.includes(id);

const toTraceSpan = (span: Span): TraceSpan => {
  const { traceId, spanId, parentId, service, name, start, end, error, attributes } = span;
  return { traceId, spanId, parentId, service, name, start, end, ...(error ? { error } : {}), attributes };
};

const get = (path: RegExp, answer: (sources: Sources, asked: Asked) => Promise<unknown>): Route => ({
  method: 'GET',
  path,
  answer: async (sources, asked) => ({ body: await answer(sources, asked) }),
});
const post = (path: RegExp, answer: (sources: Sources, asked: Asked) => Promise<unknown>): Route => ({
  ...get(path, answer),
  method: 'POST',
});

export const routes: readonly Route[] = [
  get(/^functions$/, async (sources) => ({ functions: sources.states() })),
  get(/^functions\/([^/]+)\/why$/, async (sources, asked) => ({ lines: whyOf(functionOf(sources, asked)) })),
  get(/^rules$/, (sources) => rulesToday(sources.points() ?? [])),
  get(/^aggregates$/, async ({ aggregates }) => ({ names: aggregates.map(({ name }) => name) })),
  get(/^aggregates\/([^/]+)$/, ({ database, aggregates }, asked) =>
    newestStreams(database, aggregateIn(aggregates, asked)),
  ),
  get(/^aggregates\/([^/]+)\/([^/]+)$/, async ({ database, aggregates, mails }, asked) => {
    const aggregate = aggregateIn(aggregates, asked);
    const id = idOf(asked);
    const read = await readVersions(database, aggregate, id);
    const late = await lateRows(database, await readModels(), aggregate.name, id, read.versions);
    const about = mails().filter((mail) => isAbout(mail, id));
    return { ...read, late, mails: about.slice(0, MOST_MAILS).map(toMailLine) };
  }),
  get(/^aggregates\/([^/]+)\/([^/]+)\/trace$/, async ({ aggregates, spansOf }, asked) => {
    aggregateIn(aggregates, asked);
    const spans = spansOf(idOf(asked));
    return { elsewhere: spans === undefined, spans: (spans ?? []).slice(0, MOST_SPANS).map(toTraceSpan) };
  }),
  get(/^dead-letters$/, (sources) => listDeadLetters(sources.bus)),
  get(/^dead-letters\/([^/]+)$/, (sources, asked) => showDeadLetter(sources.bus, deadLetterOf(asked))),
  post(/^dead-letters\/([^/]+)\/redrive$/, (sources, asked) => redriveDeadLetter(sources.bus, deadLetterOf(asked))),
  post(/^dead-letters\/([^/]+)\/discard$/, (sources, asked) => discardDeadLetter(sources.bus, deadLetterOf(asked))),
  get(/^mails$/, async (sources) => ({ mails: sources.mails().slice(0, MOST_MAILS).map(toMailLine) })),
  get(/^mails\/([^/]+)$/, async (sources, asked) => {
    const mail = mailOf(sources, asked);
    return { ...toMailLine(mail), text: mail.text, html: mail.html !== undefined };
  }),
  {
    method: 'GET',
    path: /^mails\/([^/]+)\/html$/,
    answer: async (sources, asked) => ({ html: mailOf(sources, asked).html ?? '' }),
  },
];
