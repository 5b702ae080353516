import { expect, test } from 'vitest';
import { openOutgoing } from '../../functions/runtime/jetstream/outgoing.ts';
import { keepingLog } from '../support/keeping-log.ts';

test('what is sent in one turn goes in its order when the turn is over', async () => {
  const { log } = keepingLog();
  const sent: string[] = [];
  const { send } = openOutgoing({ publish: (subject) => void sent.push(subject) }, log);
  send('a', '');
  send('b', '');
  expect(sent).toEqual([]);
  await new Promise(setImmediate);
  expect(sent).toEqual(['a', 'b']);
});

test('a connection that is closed is noted in the log, and ends nothing', async () => {
  const { log, lines } = keepingLog();
  const publish = (): void => {
    throw new Error('CONNECTION_CLOSED');
  };
  openOutgoing({ publish }, log).send('a', '');
  await new Promise(setImmediate);
  expect(lines.map(({ message }) => message)).toEqual(['the connection to NATS is closed']);
});
