/** The functions' state, each second what changed → every page that listens, by server-sent events; a bounded number of them. */
import type { ServerResponse } from 'node:http';
import { AppError, unavailable } from '../../../functions/runtime/errors.ts';
import type { History } from './history.ts';
import type { All, Changed, Counts, FunctionNow } from './wire.ts';

export type Live = {
  /** Answers with the stream, which ends when the page goes or the platform stops. Throws `exhausted` when too many listen. */
  listen(response: ServerResponse): void;
  close(): void;
};
export type LiveSource = {
  readonly history: History;
  functions(): readonly FunctionNow[];
  /** Asked only while somebody listens. */
  counts(): Promise<Counts>;
};

const EVERY_MS = 1_000;
const HEARTBEAT_MS = 10_000;
const MOST_LISTENERS = 32;
/** A page that does not read is let go; it comes back by itself. */
const MOST_UNREAD_BYTES = 1_000_000;
const NOTHING: Counts = { deadLetters: 0, mails: 0 };

export function openLive({ history, functions, counts }: LiveSource): Live {
  const listeners = new Set<ServerResponse>();
  let known = NOTHING;
  let saidAt = 0;
  let at = Date.now();
  let closed = false;

  const say = (text: string, to: Iterable<ServerResponse> = listeners): void => {
    for (const response of to) {
      if (response.writableLength > MOST_UNREAD_BYTES) response.destroy();
      else response.write(text);
    }
  };
  const event = (name: string, data: All | Changed): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

  const recount = async (): Promise<boolean> => {
    const fresh = await counts().catch(() => known);
    const changed = JSON.stringify(fresh) !== JSON.stringify(known);
    known = fresh;
    return changed;
  };

  const tick = async (): Promise<void> => {
    at = Date.now();
    const now = at;
    const changed = history.add(functions());
    if (listeners.size === 0) return;
    const recounted = await recount();
    if (changed.length > 0 || recounted) {
      saidAt = now;
      say(event('changed', { at: now, functions: changed, ...(recounted ? { counts: known } : {}) }));
    } else if (now - saidAt >= HEARTBEAT_MS) {
      saidAt = now;
      say(': still here\n\n');
    }
  };
  // A page may come before the first second is over.
  history.add(functions());
  const timer = setInterval(() => void tick(), EVERY_MS);

  const begin = async (response: ServerResponse): Promise<void> => {
    await recount();
    // Nothing is awaited from here to the first word, so that no change falls between.
    if (closed || response.destroyed) return void response.end();
    say(event('all', { at, functions: history.now(), series: history.series(), counts: known }), [response]);
    listeners.add(response);
  };

  let opened = 0;
  return {
    listen(response) {
      if (closed) throw unavailable('platform-stops', 'The platform stops; try again when it has started');
      if (opened >= MOST_LISTENERS)
        throw new AppError('exhausted', 'too-many-listeners', `${MOST_LISTENERS} pages listen already; close one`);
      opened += 1;
      response.once('close', () => {
        opened -= 1;
        listeners.delete(response);
      });
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        // The gateway closes once no connection is open.
        connection: 'close',
      });
      response.write('retry: 1000\n\n');
      void begin(response);
    },
    close() {
      closed = true;
      clearInterval(timer);
      for (const response of listeners) response.end();
    },
  };
}
