/** What a collector of OTLP/JSON metrics receives. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

type Attributes = readonly { readonly key: string; readonly value: { readonly stringValue: string } }[];
type Exemplar = { readonly asDouble: number; readonly traceId: string; readonly timeUnixNano: string };
export type Point = {
  readonly attributes: Attributes;
  readonly asDouble?: number;
  readonly count?: string;
  readonly sum?: number;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
  readonly exemplars?: readonly Exemplar[];
  readonly timeUnixNano: string;
};
type Points = { readonly dataPoints: readonly Point[]; readonly aggregationTemporality?: number };
type Metric = {
  readonly name: string;
  readonly unit?: string;
  readonly gauge?: Points;
  readonly histogram?: Points;
  readonly sum?: Points & { readonly isMonotonic: boolean };
};
export type Pushed = {
  readonly request: IncomingMessage;
  readonly resource: Readonly<Record<string, string>>;
  readonly metrics: readonly Metric[];
};
export type Collector = { readonly url: string; readonly pushed: readonly Pushed[]; close(): Promise<void> };

export const plain = (attributes: Attributes): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));

/** It answers with `status`, and heeds nothing but metrics. */
export async function startCollector(status = 200): Promise<Collector> {
  const pushed: Pushed[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.url === '/v1/metrics') {
      const { resource, scopeMetrics } = JSON.parse(Buffer.concat(chunks).toString()).resourceMetrics[0];
      pushed.push({ request, resource: plain(resource.attributes), metrics: scopeMetrics[0].metrics });
    }
    response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pushed,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** In what was pushed at once, oldest first. */
export function pointsOf({ metrics }: Pushed, name: string, attributes: Readonly<Record<string, string>>): Point[] {
  const metric = metrics.find((each) => each.name === name);
  const { dataPoints } = metric?.sum ?? metric?.gauge ?? metric?.histogram ?? { dataPoints: [] };
  return dataPoints.filter((point) => JSON.stringify(plain(point.attributes)) === JSON.stringify(attributes));
}

/** The newest. */
export const pointOf = (...what: Parameters<typeof pointsOf>): Point | undefined => pointsOf(...what).at(-1);
