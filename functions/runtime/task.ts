/** Tasks: messages that one function alone gets, now or at a time, in its retries, without having been in another stream. */

import { retrySubject, waitingSubject } from './handling/retries.ts';
import type { Bus } from './jetstream/connection.ts';
import { sending } from './jetstream/publishing.ts';
import { schedule } from './jetstream/schedules.ts';
import { toHeaders } from './messages/message.ts';
import type { Trace } from './trace.ts';

export type Task = {
  /** A task of an id that was sent in the last two minutes is dropped. */
  readonly id: string;
  /** Two words, such as `webhook.attempt`; that of no event or command. */
  readonly type: string;
  readonly data: object;
  readonly trace: Trace;
  /** Id of the aggregate that it is about. */
  readonly subject?: string;
};

const headersOf = ({ id, type, subject = id, trace }: Task): Record<string, string> =>
  toHeaders({ id, type, subject, time: new Date().toISOString(), traceparent: trace.traceparent });

/** Sends a task to a function that the sender's Definition names in `tasksTo`; resolves when JetStream holds it. */
export async function sendTask(bus: Bus, to: string, task: Task): Promise<void> {
  const subject = retrySubject(to);
  await sending(subject, headersOf(task), (headers) =>
    bus.publish(subject, JSON.stringify(task.data), headers, `${subject} ${task.id}`),
  );
}

/**
 * Keeps a task for a function, the sender itself, until `at`, RFC 3339; a time that is past means now. `token` is one of
 * a subject, such as an id: the same token again replaces the task that waits by it.
 */
export async function scheduleTask(bus: Bus, to: string, token: string, task: Task, at: string): Promise<void> {
  const target = retrySubject(to);
  const subject = waitingSubject(to, `task ${token}`);
  const payload = JSON.stringify(task.data);
  const keep = (headers: Readonly<Record<string, string>>) =>
    schedule(bus, subject, { at, target, payload, headers }, `${subject} ${at} ${task.id}`);
  await sending(target, headersOf(task), keep, at);
}
