/** Spans as the functions make them, for stories told in a test: times are ms after `BEGAN`. */
import type { Attributes } from '../../scripts/platform/telemetry/otlp.ts';
import type { Span } from '../../scripts/platform/telemetry/spans.ts';

export const BEGAN = Date.parse('2026-11-20T12:00:00.000Z');
export const SUBJECT = '0190b6a0-0000-7000-8000-000000000001';

type Given = Partial<Pick<Span, 'kind' | 'error' | 'links' | 'attributes'>> & {
  readonly within?: Span;
  readonly traceId?: string;
  readonly events?: readonly { readonly name: string; readonly attributes: Attributes }[];
};

let made = 0;

/** `within` is its parent. */
export function span(service: string, name: string, from: number, to: number, given: Given = {}): Span {
  made += 1;
  const { within, events = [], traceId = within?.traceId ?? 'a'.repeat(32), ...more } = given;
  return {
    traceId,
    spanId: made.toString(16).padStart(16, '0'),
    parentId: within?.spanId ?? '',
    service,
    name,
    kind: 'internal',
    start: BEGAN + from,
    end: BEGAN + to,
    error: undefined,
    attributes: {},
    links: [],
    ...more,
    events: events.map((event) => ({ ...event, at: BEGAN + from })),
  };
}

export const request = (from: number, to: number, route = 'POST /v1/parcels', status = 201): Span => {
  const [method = '', path = ''] = route.split(' ');
  const attributes = { 'http.request.method': method, 'http.route': path, 'http.response.status_code': status };
  return span('parcels-api', route, from, to, { kind: 'server', attributes });
};

const messaging = (operation: string, type: string, id: string): Attributes => ({
  'messaging.system': 'nats',
  'messaging.operation.name': operation,
  'messaging.message.id': id,
  'cloudevents.event_type': type,
  'cloudevents.event_subject': SUBJECT,
});

export const sent = (within: Span | undefined, type: string, id: string, at: number, service = within?.service): Span =>
  span(service ?? 'nobody', `send ${type}`, at, at + 1, {
    ...(within ? { within } : {}),
    kind: 'producer',
    attributes: messaging('send', type, id),
  });

type Attempt = {
  /** [stored or due, taken, ended]. */
  readonly times: readonly [number, number, number];
  readonly reason?: string;
  readonly slept?: number;
  readonly started?: number;
  readonly attempt?: number;
  readonly error?: string;
  readonly links?: Span['links'];
};

/** The wait and the attempt of a function on a message that was sent; the attempt is the second one. */
export function handled(service: string, message: Span, given: Attempt): [Span, Span] {
  const { times, reason = 'lag', slept, started, attempt = 1, error, links = [] } = given;
  const [from, taken, ended] = times;
  const type = String(message.attributes['cloudevents.event_type']);
  const wait = {
    'millrace.wait.reason': reason,
    ...(slept === undefined ? {} : { 'millrace.wait.slept_ms': slept }),
    ...(started === undefined ? {} : { 'millrace.wait.started_ms': started }),
  };
  const attributes = {
    ...messaging('process', type, String(message.attributes['messaging.message.id'])),
    'messaging.consumer.group.name': service,
    'millrace.attempt': attempt,
    ...(error ? { 'error.type': error } : {}),
  };
  return [
    span(service, 'wait', from, taken, { within: message, attributes: wait }),
    span(service, `process ${type}`, taken, ended, { within: message, kind: 'consumer', attributes, error, links }),
  ];
}

export const parked = (within: Span, until: number): Span => {
  const at = within.end - BEGAN;
  const attributes = {
    'millrace.retry.at': new Date(BEGAN + until).toISOString(),
    'millrace.retry.delay_ms': until - at,
    'millrace.retry.how': 'parked',
  };
  return span(within.service, 'park', at - 1, at, { within, attributes });
};
