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
import { newestOrders, orderSteps } from './aggregates.ts';
import { discardLetter, listLetters, redriveLetter, showLetter } from './dead-letters.ts';
import { rulesToday } from './rules.ts';
import type { Counts, MailLine, TraceSpan } from './wire.ts';

/** What the console looks at. */
export type Shop = {
  readonly bus: Bus;
  readonly database: Database;
  states(): readonly FunctionState[];
  /** undefined where telemetry goes elsewhere, as of `spansOf`. */
  points(): readonly Point[] | undefined;
  spansOf(orderId: string): readonly Span[] | undefined;
  mails(): readonly Mail[];
  counts(): Promise<Counts>;
};
/** `names`: the parts of the path that differ. */
export type Asked = { readonly names: readonly string[]; readonly query: URLSearchParams };
export type Answer = { readonly body?: unknown; readonly html?: string };
export type Room = {
  readonly method: 'GET' | 'POST';
  /** Of what follows /console/api/. */
  readonly path: RegExp;
  answer(shop: Shop, asked: Asked): Promise<Answer>;
};

const MOST_SPANS = 2_000;
const MOST_MAILS = 200;

const orderId = z.object({ orderId: z.uuid('must be the UUID of an order, as the list of orders shows it') });
const letterId = z.object({
  id: z.string().check(z.regex(/^[1-9]\d{0,14}$/, 'must be the number of a dead letter, as their list shows it')),
});

const orderOf = ({ names: [name = ''] }: Asked): string => validate(orderId, { orderId: name }, 'The path').orderId;
const letterOf = ({ names: [name = ''] }: Asked): number => Number(validate(letterId, { id: name }, 'The path').id);

const idOf = (mail: Mail): string =>
  createHash('sha256')
    .update(JSON.stringify([mail.receivedAt, mail.to, mail.subject, mail.headers['message-id']]))
    .digest('hex')
    .slice(0, 16);

const toMailLine = (mail: Mail): MailLine => {
  const { to, from, subject, receivedAt } = mail;
  return { id: idOf(mail), to, from, subject, receivedAt };
};

function mailOf(shop: Shop, { names: [id = ''] }: Asked): Mail {
  const mail = shop.mails().find((one) => idOf(one) === id);
  if (mail) return mail;
  throw notFound('no-such-mail', `There is no e-mail ${id} in the mailbox, or not any more`);
}

function functionOf(shop: Shop, { names: [name = ''] }: Asked): FunctionState {
  const states = shop.states();
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

const isAbout = ({ subject, text }: Mail, id: string): boolean => subject.includes(id) || text.includes(id);

const toTraceSpan = (span: Span): TraceSpan => {
  const { traceId, spanId, parentId, service, name, start, end, error, attributes } = span;
  return { traceId, spanId, parentId, service, name, start, end, ...(error ? { error } : {}), attributes };
};

const get = (path: RegExp, answer: (shop: Shop, asked: Asked) => Promise<unknown>): Room => ({
  method: 'GET',
  path,
  answer: async (shop, asked) => ({ body: await answer(shop, asked) }),
});
const post = (path: RegExp, answer: (shop: Shop, asked: Asked) => Promise<unknown>): Room => ({
  ...get(path, answer),
  method: 'POST',
});

export const rooms: readonly Room[] = [
  get(/^functions$/, async (shop) => ({ functions: shop.states() })),
  get(/^functions\/([^/]+)\/why$/, async (shop, asked) => ({ lines: whyOf(functionOf(shop, asked)) })),
  get(/^rules$/, (shop) => rulesToday(shop.points() ?? [])),
  get(/^orders$/, (shop) => newestOrders(shop.database)),
  get(/^orders\/([^/]+)$/, async (shop, asked) => {
    const id = orderOf(asked);
    const mails = shop.mails().filter((mail) => isAbout(mail, id));
    return { ...(await orderSteps(shop.database, id)), mails: mails.slice(0, MOST_MAILS).map(toMailLine) };
  }),
  get(/^orders\/([^/]+)\/trace$/, async (shop, asked) => {
    const spans = shop.spansOf(orderOf(asked));
    return { elsewhere: spans === undefined, spans: (spans ?? []).slice(0, MOST_SPANS).map(toTraceSpan) };
  }),
  get(/^dead-letters$/, (shop) => listLetters(shop.bus)),
  get(/^dead-letters\/([^/]+)$/, (shop, asked) => showLetter(shop.bus, letterOf(asked))),
  post(/^dead-letters\/([^/]+)\/redrive$/, (shop, asked) => redriveLetter(shop.bus, letterOf(asked))),
  post(/^dead-letters\/([^/]+)\/discard$/, (shop, asked) => discardLetter(shop.bus, letterOf(asked))),
  get(/^mails$/, async (shop) => ({ mails: shop.mails().slice(0, MOST_MAILS).map(toMailLine) })),
  get(/^mails\/([^/]+)$/, async (shop, asked) => {
    const mail = mailOf(shop, asked);
    return { ...toMailLine(mail), text: mail.text, html: mail.html !== undefined };
  }),
  {
    method: 'GET',
    path: /^mails\/([^/]+)\/html$/,
    answer: async (shop, asked) => ({ html: mailOf(shop, asked).html ?? '' }),
  },
];
