/** A durable consumer of the model: what waits, what is out with a process, and when that comes back. */
import type { DeliveredMessage } from '../../functions/runtime/jetstream/delivered-message.ts';
import type { Stream } from './bus.ts';

const ACK_WAIT_MS = 30_000;

type Delivered = Omit<DeliveredMessage, 'ack' | 'nak' | 'term' | 'working'>;
export type Consumer = ReturnType<typeof openConsumer>;

export function openConsumer(name: string, stream: Stream, takes: (subject: string) => boolean) {
  const waiting = new Set<number>();
  /** Timers of what is out, or put off. */
  const out = new Map<number, NodeJS.Timeout>();
  const deliveries = new Map<number, number>();

  const comeBack = (sequence: number, afterMs: number): void => {
    clearTimeout(out.get(sequence));
    const back = (): void => {
      out.delete(sequence);
      waiting.add(sequence);
    };
    out.set(sequence, setTimeout(back, afterMs));
  };

  return {
    name,
    stream,
    offer(sequence: number, subject: string): void {
      if (takes(subject)) waiting.add(sequence);
    },
    waiting: (): number[] => [...waiting],
    isIdle: () => waiting.size === 0 && out.size === 0,
    take(sequence: number): Delivered {
      const stored = stream.messages.get(sequence);
      if (!stored) throw new Error(`${stream.name} holds no ${sequence}`);
      waiting.delete(sequence);
      comeBack(sequence, ACK_WAIT_MS);
      const count = (deliveries.get(sequence) ?? 0) + 1;
      deliveries.set(sequence, count);
      const { subject, headers, data, scheduledOn, storedAt } = stored;
      const storedAtNanos = `${storedAt}000000`;
      const streamSequence = `${stream.name} ${sequence} ${storedAtNanos}`;
      return {
        subject,
        headers,
        data,
        scheduledOn,
        stream: stream.name,
        sequence,
        storedAtNanos,
        streamSequence,
        deliveries: count,
        attempts: count,
      };
    },
    /** It comes again at once, as if the wait for its acknowledgement were over. */
    giveBack(sequence: number): void {
      clearTimeout(out.get(sequence));
      out.delete(sequence);
      waiting.add(sequence);
    },
    end(sequence: number): void {
      waiting.delete(sequence);
      clearTimeout(out.get(sequence));
      out.delete(sequence);
      if (stream.isQueue) stream.messages.delete(sequence);
    },
    delay(sequence: number, delayMs: number): void {
      if (out.has(sequence)) comeBack(sequence, delayMs);
    },
    extend(sequence: number): void {
      if (out.has(sequence)) comeBack(sequence, ACK_WAIT_MS);
    },
  };
}
