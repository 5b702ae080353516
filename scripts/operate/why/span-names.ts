/** What a span of the shop is, by its name and attributes. Pure. */
import type { Span } from '../../platform/telemetry/spans.ts';

/** '' when it is not there. */
export const text = (span: Span, attribute: string): string => String(span.attributes[attribute] ?? '');
/** 0 when it is not there. */
export const number = (span: Span, attribute: string): number => Number(span.attributes[attribute]) || 0;

export const isRequest = (span: Span): boolean => span.kind === 'server' && 'http.request.method' in span.attributes;
export const isBatch = (span: Span): boolean => span.name === 'process batch';
export const isProcess = (span: Span): boolean => span.name.startsWith('process ') && !isBatch(span);
export const isSend = (span: Span): boolean => span.kind === 'producer' && span.name.startsWith('send ');

/** Type of the message. */
export const typeOf = (span: Span): string =>
  text(span, 'cloudevents.event_type') || span.name.replace(/^(process|send) /, '');
export const messageIdOf = (span: Span): string => text(span, 'messaging.message.id');
export const subjectOf = (span: Span): string => text(span, 'cloudevents.event_subject');
/** ms since 1970, of a timer; undefined for what is due at once. */
export const dueAtOf = (span: Span): number | undefined => Date.parse(text(span, 'millrace.send.due_at')) || undefined;
