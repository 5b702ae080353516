/** The handlers of user-service behind plain HTTP and JSON, in a process of their own: what gRPC is measured against. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { toAppError } from '../../../../functions/runtime/errors.ts';
import type { Offer } from '../../../../functions/runtime/grpc/methods.ts';
import { openLog } from '../../../../functions/runtime/log.ts';
import { readSettings } from '../../../../functions/runtime/process/settings.ts';
import { continueTrace } from '../../../../functions/runtime/trace.ts';
import userService from '../../../../functions/users/user-service/function.ts';

type Settings = Parameters<typeof userService.open>[0]['settings'];
const settings = readSettings(userService.settings) as unknown as Settings;
const log = openLog('http-json', 'warn');
const { offers } = await userService.open({ name: 'user-service', settings, log, onClose: () => undefined });
const byPath = new Map<string | undefined, Offer>(offers.map((each) => [each.method.path, each]));

const server = createServer(async (request, response) => {
  try {
    const found = byPath.get(request.url);
    if (!found) throw new Error(`there is nothing at ${request.url}`);
    const metadata = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const deadline = new Date(Date.now() + 5_000);
    const { signal } = new AbortController();
    const call = { trace: continueTrace(metadata.traceparent), metadata, deadline, signal };
    const answer = JSON.stringify(await found.handler(JSON.parse(await text(request)) as never, call));
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  } catch (error) {
    response.writeHead(500).end(toAppError(error).slug);
  }
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
