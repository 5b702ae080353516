/** A receiver of traces that keeps how long each message waited until its handler took it, by function. */
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { openReceiver } from '../../../platform/telemetry/receiver.ts';
import { readSpans } from '../../../platform/telemetry/spans.ts';

export type Waits = {
  readonly url: string;
  /** Seconds, sorted. */
  sorted(): readonly number[];
};

export async function openWaits(cleanup: Cleanup): Promise<Waits> {
  const seconds: number[] = [];
  const takeTraces = (body: unknown): void => {
    for (const { name, start, end } of readSpans(body)) if (name === 'wait') seconds.push((end - start) / 1_000);
  };
  const receiver = await openReceiver({ '/v1/traces': takeTraces, '/v1/metrics': () => undefined });
  cleanup.add('receiver of traces', receiver.close);
  return { url: receiver.url, sorted: () => [...seconds].sort((a, b) => a - b) };
}
