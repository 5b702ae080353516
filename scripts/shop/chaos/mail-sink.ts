/** An SMTP server that notes which e-mail came when, and that can hang after DATA, or refuse for now. */
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

/** `key` is the e-mail's Message-ID: that of its event and template. `at` is ms since 1970. */
export type Arrival = { readonly key: string; readonly at: number };
type SinkState = 'takes' | 'hangs' | 'refuses';
export type MailSink = {
  readonly url: string;
  become(state: SinkState): void;
  arrivals(): readonly Arrival[];
  close(): Promise<void>;
};

export async function openMailSink(): Promise<MailSink> {
  const arrivals: Arrival[] = [];
  let state: SinkState = 'takes';
  let released = Promise.withResolvers<void>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    async onData(stream, _session, done) {
      // undefined when its sender was killed half-way through it.
      const mail = await text(stream).catch(() => undefined);
      if (mail === undefined) return done(new Error('cut off'));
      if (state === 'refuses') return done(Object.assign(new Error('not now'), { responseCode: 451 }));
      arrivals.push({ key: /^message-id:\s*<([^@>]*)/im.exec(mail)?.[1] ?? '', at: Date.now() });
      if (state === 'hangs') await released.promise;
      done();
    },
  });
  // Whoever waited too long for an answer has hung up.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    become(next) {
      if (state === 'hangs') released.resolve();
      if (next === 'hangs') released = Promise.withResolvers();
      state = next;
    },
    arrivals: () => arrivals,
    close() {
      released.resolve();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
