/** Spans of some traces → what was done, in entries: each request, and each message with its function's attempts. Pure. */
import type { Span } from '../../platform/telemetry/spans.ts';
import { type Attempt, attemptsOf } from './attempts.ts';
import { failureOf, slowestOf } from './calls.ts';
import { type Forest, forestOf, keyOf } from './forest.ts';
import { dueAtOf, isProcess, isRequest, isSend, messageIdOf, number, subjectOf, text, typeOf } from './span-names.ts';

export type Entry = {
  readonly kind: 'request' | 'message';
  readonly function: string;
  /** Type of the message, or method and route. */
  readonly what: string;
  readonly messageId: string;
  readonly subject: string;
  readonly traceId: string;
  /** Its function is a notifier. */
  readonly notifies: boolean;
  /** When it was stored, or became due, or came. */
  readonly from: number;
  /** Of a timer. */
  readonly dueAt: number | undefined;
  /** HTTP status of a request's answer. */
  readonly status: number | undefined;
  readonly attempts: readonly Attempt[];
  /** The span that it was sent by, and what that was part of; undefined when it is not known. */
  readonly sentBy: Span | undefined;
  /** Key of the span of the entry that sent it. */
  readonly cameFrom: string | undefined;
  /** Keys of its own spans. */
  readonly spans: readonly string[];
};
/** What is declared of functions. */
export type Functions = {
  /** Those that take messages of a type. */
  consumersOf(type: string): readonly string[];
  notifies(name: string): boolean;
};

const groupBy = (spans: readonly Span[], keyed: (span: Span) => string): Span[][] => [
  ...Map.groupBy(spans, keyed).values(),
];

const about = (span: Span) => ({
  messageId: messageIdOf(span),
  subject: subjectOf(span),
  traceId: span.traceId,
});

const origin = (forest: Forest, span: Span) => {
  const parent = forest.span(span.traceId, span.parentId);
  const sentBy = isSend(span) ? span : parent && isSend(parent) ? parent : undefined;
  const above = sentBy && forest.above(sentBy, (one) => isProcess(one) || isRequest(one));
  const dueAt = sentBy && dueAtOf(sentBy);
  return { sentBy, cameFrom: above && keyOf(above), dueAt };
};

function messageEntry(forest: Forest, processes: readonly Span[], { notifies }: Functions): Entry[] {
  const [span] = processes;
  if (!span) return [];
  const attempts = attemptsOf(forest, processes);
  const { sentBy, cameFrom, dueAt } = origin(forest, span);
  return [
    {
      kind: 'message',
      ...about(span),
      function: span.service,
      what: typeOf(span),
      notifies: notifies(span.service),
      from: attempts[0]?.wait?.start ?? dueAt ?? sentBy?.end ?? span.start,
      dueAt,
      status: undefined,
      attempts,
      sentBy,
      cameFrom,
      spans: processes.map(keyOf),
    },
  ];
}

function requestEntry(forest: Forest, span: Span): Entry {
  const { start, end } = span;
  const own = forest.own(span);
  const failure = failureOf(span, own);
  const ended = { dueAt: undefined, dead: false, together: 1, slow: slowestOf(own, end - start) };
  return {
    kind: 'request',
    ...about(span),
    function: span.service,
    what: `${text(span, 'http.request.method')} ${text(span, 'http.route') || span.name.replace(/^\S+ ?/, '')}`.trim(),
    notifies: false,
    from: start,
    dueAt: undefined,
    status: number(span, 'http.response.status_code') || undefined,
    attempts: [{ number: 1, wait: undefined, start, end, failure, ...ended }],
    sentBy: undefined,
    cameFrom: undefined,
    spans: [keyOf(span)],
  };
}

/** What was sent, and not heard of since, to each function that takes it. */
function unheard(forest: Forest, sends: readonly Span[], heard: readonly Entry[], functions: Functions): Entry[] {
  const known = new Set(heard.map(({ traceId, messageId, function: name }) => `${traceId} ${messageId} ${name}`));
  return sends.flatMap((span) =>
    functions
      .consumersOf(typeOf(span))
      .filter((name) => !known.has(`${span.traceId} ${about(span).messageId} ${name}`))
      .map((name) => ({
        kind: 'message' as const,
        ...about(span),
        function: name,
        what: typeOf(span),
        notifies: functions.notifies(name),
        from: dueAtOf(span) ?? span.end,
        status: undefined,
        attempts: [],
        ...origin(forest, span),
        spans: [],
      })),
  );
}

/** Oldest first. `subject`, when not '', leaves out what is about another subject. */
export function entriesOf(spans: readonly Span[], functions: Functions, subject = ''): Entry[] {
  const forest = forestOf(spans);
  const processes = spans.filter(isProcess);
  const groups = groupBy(processes, (span) =>
    [span.traceId, messageIdOf(span) || span.parentId, span.service].join(' '),
  );
  const messages = groups.flatMap((group) => messageEntry(forest, group, functions));
  const requests = spans.filter(isRequest).map((span) => requestEntry(forest, span));
  return [...requests, ...messages, ...unheard(forest, spans.filter(isSend), messages, functions)]
    .filter((entry) => subject === '' || entry.subject === '' || entry.subject === subject)
    .sort((a, b) => a.from - b.from);
}
