/** What the local platform tells of itself: received by OTLP, the recent kept, traces beyond its end, and answered to whoever asks. */
import { existsSync, readFileSync } from 'node:fs';
import { AppError, invalid, notFound } from '../../../functions/runtime/errors.ts';
import { openLogFile } from '../servers/log-file.ts';
import { type Point, readPoints } from './points.ts';
import { openReceiver } from './receiver.ts';
import { readSpans, type Span } from './spans.ts';
import { openPointStore, openTraceStore } from './stores.ts';

export type Telemetry = {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  /** `path` is what follows `/_local/`, such as `traces` or `traces/<traceId>`; throws `not-found` or `invalid`. */
  answer(path: string, query: URLSearchParams): unknown;
  /** undefined where they go elsewhere, as of `spansOf`. */
  points(): readonly Point[] | undefined;
  spansOf(subject: string): readonly Span[] | undefined;
  close(): Promise<void>;
};

/** Of the file, twice: its older part is beside it. */
const FILE_BYTES = 20_000_000;

/** What a trace may be asked for by → the attribute of its spans. */
export const ASKED_BY = {
  subject: 'cloudevents.event_subject',
  event: 'messaging.message.id',
  notification: 'millrace.notification.key',
} as const;

/** Lines of spans; one that was cut off when the platform was killed is left out. */
function readFile(file: string): Span[][] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Span[]];
      } catch {
        return [];
      }
    });
}

export async function openTelemetry(file: string): Promise<Telemetry> {
  const traces = openTraceStore();
  const points = openPointStore();
  for (const spans of [...readFile(`${file}.1`), ...readFile(file)]) traces.add(spans);
  const kept = openLogFile(file, FILE_BYTES);

  const receiver = await openReceiver({
    '/v1/traces': (body) => {
      const spans = readSpans(body);
      traces.add(spans);
      kept.write(JSON.stringify(spans));
    },
    '/v1/metrics': (body) => points.add(readPoints(body)),
  });

  const answerTraces = (traceId: string | undefined, query: URLSearchParams): { spans: readonly Span[] } => {
    if (traceId !== undefined) {
      const spans = traces.trace(traceId.toLowerCase());
      if (spans.length === 0) throw notFound('no-such-trace', 'There is no such trace, or not any more');
      return { spans };
    }
    const [[by, value] = ['', ''], ...more] = query;
    if (!Object.hasOwn(ASKED_BY, by) || !value || more.length > 0)
      throw invalid(
        'invalid-query',
        'Ask for traces by ?subject=<id>, ?event=<id> or ?notification=<key>, one of them',
      );
    return { spans: traces.find(ASKED_BY[by as keyof typeof ASKED_BY], value) };
  };

  return {
    url: receiver.url,
    answer(path, query) {
      const [what, id, ...more] = path.split('/');
      if (what === 'metrics' && id === undefined) return { points: points.latest() };
      if (what === 'traces' && more.length === 0) return answerTraces(id, query);
      throw notFound('no-such-path', `There is nothing at /_local/${path}`);
    },
    points: points.latest,
    spansOf: (subject) => traces.find(ASKED_BY.subject, subject),
    async close() {
      await receiver.close();
      kept.close();
    },
  };
}

/** Where traces and metrics go elsewhere nothing is kept here. */
export const telemetryElsewhere = (url: string): Telemetry => ({
  url,
  answer() {
    throw new AppError(
      'not-found',
      'telemetry-elsewhere',
      'Traces and metrics go to OTEL_EXPORTER_OTLP_ENDPOINT, and none is kept here: look there',
    );
  },
  points: () => undefined,
  spansOf: () => undefined,
  close: async () => undefined,
});
