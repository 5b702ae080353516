/** In a process of its own: GET requests over so many connections, each sending its next at the answer to the last → a line of JSON. */
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { load } from './load.ts';

/** `requests` are sent round and round, whole with their headers. */
export type Job = {
  readonly port: number;
  readonly requests: readonly string[];
  readonly inFlight: number;
  readonly forMs: number;
};

const HEAD_END = '\r\n\r\n';

type Connection = { send(request: string): Promise<void>; close(): void };

/** Takes answers with a content-length: cheap, so that what is measured is the server. */
async function open(port: number): Promise<Connection> {
  const socket: Socket = connect(port, '127.0.0.1').setNoDelay(true);
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  let answered: PromiseWithResolvers<void> | undefined;
  let missing = Number.NaN;
  socket.on('data', (chunk) => {
    if (!answered) return;
    if (Number.isNaN(missing)) {
      const headBytes = chunk.indexOf(HEAD_END);
      const head = chunk.toString('latin1', 0, headBytes);
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
      if (headBytes < 0 || length === undefined || !head.startsWith('HTTP/1.1 200 '))
        return answered.reject(new Error(`no good answer: ${chunk.toString('utf8', 0, 600)}`));
      missing = headBytes + HEAD_END.length + Number(length);
    }
    missing -= chunk.length;
    if (missing > 0) return;
    missing = Number.NaN;
    answered.resolve();
  });
  socket.on('close', () => answered?.reject(new Error('the server hung up')));
  return {
    send(request) {
      answered = Promise.withResolvers();
      socket.write(request);
      return answered.promise;
    },
    close: () => void socket.destroy(),
  };
}

const { port, requests, inFlight, forMs } = JSON.parse(await text(process.stdin)) as Job;
const connections = await Promise.all(Array.from({ length: inFlight }, () => open(port)));
const idle = [...connections];
let turn = 0;
const call = async (): Promise<void> => {
  const connection = idle.pop();
  if (!connection) throw new Error('no connection is idle');
  await connection.send(requests[turn++ % requests.length] ?? '');
  idle.push(connection);
};
process.stdout.write(JSON.stringify(await load(call, inFlight, forMs)));
for (const connection of connections) connection.close();
