/** `millrace dead-letters list|show|redrive|discard|sweep|audit`: what could not be handled, and what becomes of it. */

import { toAppError } from '../../../functions/runtime/errors.ts';
import { type Bus, natsSettings, openBus } from '../../../functions/runtime/jetstream/connection.ts';
import { openLog } from '../../../functions/runtime/log.ts';
import { readSettings } from '../../../functions/runtime/process/settings.ts';
import { type Environment, type NatsPlace, natsPlace } from '../../cli/cli.ts';
import { OPERATOR } from '../../registry/nats-users/permissions.ts';
import { record } from './audit.ts';
import { type DeadLetter, findDeadLetter, readDeadLetters, removeDeadLetter, storedMessages } from './dead-letters.ts';
import { redrive, refuseOrphans } from './redrive.ts';
import { type Request, readRequest } from './request.ts';
import { sweep } from './sweep.ts';

/** A function that is being deployed has its consumer by then. */
const SWEPT_AFTER_MS = 300_000;
const CONNECT_MS = 5_000;
const SWEPT = {
  'no-consumer': { planned: 'would move', done: 'moved' },
  'passed-over': { planned: 'would send again', done: 'sent again' },
} as const;

async function chosenDeadLetters(bus: Bus, request: Request): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  const before = Date.now() - request.olderThanMs;
  const fits = (deadLetter: DeadLetter): boolean =>
    (request.ids.length === 0 || request.ids.includes(deadLetter.id)) &&
    (request.function === undefined || deadLetter.function === request.function) &&
    (request.error === undefined || deadLetter.error === request.error) &&
    Date.parse(deadLetter.at) <= before;
  const from = request.ids.length > 0 ? Math.min(...request.ids) : 1;
  for await (const deadLetter of readDeadLetters(bus, from)) {
    if (fits(deadLetter)) found.push(deadLetter);
    if (found.length === request.limit) break;
  }
  const missing = request.ids.filter((id) => !found.some((deadLetter) => deadLetter.id === id));
  if (missing.length > 0) throw new Error(`there is no dead letter ${missing.join(', ')} that fits`);
  return found;
}

const summary = ({ headers: _, payload: __, ...deadLetter }: DeadLetter) => deadLetter;

const line = ({ id, at, function: name, error, type, subject, attempts }: DeadLetter): string =>
  [String(id).padStart(6), at, name.padEnd(16), error.padEnd(24), `${attempts}×`.padStart(4), type, subject].join('  ');

function report(request: Request, what: string, deadLetter: DeadLetter): void {
  if (request.json) return console.log(JSON.stringify({ ...summary(deadLetter), outcome: what }));
  console.log(`${what.padEnd(13)} ${line(deadLetter)}`);
}

async function list(bus: Bus, request: Request): Promise<void> {
  const deadLetters = await chosenDeadLetters(bus, request);
  for (const deadLetter of deadLetters)
    console.log(request.json ? JSON.stringify(summary(deadLetter)) : line(deadLetter));
  if (!request.json && deadLetters.length === 0) console.log('there are no dead letters that fit');
  if (deadLetters.length === request.limit)
    console.error(`only the oldest ${request.limit}; ask for more with --limit`);
}

async function show(bus: Bus, request: Request): Promise<void> {
  const deadLetter = await findDeadLetter(bus, request.ids[0] ?? 0);
  if (!deadLetter) throw new Error(`there is no dead letter ${request.ids[0]}`);
  const payload = deadLetter.payload.toString('utf8');
  if (request.json)
    return console.log(JSON.stringify({ ...summary(deadLetter), headers: deadLetter.headers, payload }));
  for (const [name, value] of Object.entries({ ...summary(deadLetter), ...deadLetter.headers }))
    console.log(`${name.padEnd(24)} ${value}`);
  console.log(`\n${payload}`);
}

async function redriveAll(bus: Bus, request: Request): Promise<void> {
  const deadLetters = await chosenDeadLetters(bus, request);
  await refuseOrphans(bus, deadLetters);
  if (request.dryRun) {
    for (const deadLetter of deadLetters) report(request, 'would redrive', deadLetter);
    return;
  }
  await redrive(bus, deadLetters, request.rate, async (deadLetter, what, why) => {
    if (what === 'redriven') await record(bus, request.verb, request.by, deadLetter);
    report(request, why ? `${what}: the one before ${why === 'no answer' ? 'got no answer' : why}` : what, deadLetter);
  });
}

async function discard(bus: Bus, request: Request): Promise<void> {
  for (const deadLetter of await chosenDeadLetters(bus, request)) {
    if (request.dryRun) {
      report(request, 'would discard', deadLetter);
      continue;
    }
    await record(bus, request.verb, request.by, deadLetter);
    await removeDeadLetter(bus, deadLetter.id);
    report(request, 'discarded', deadLetter);
  }
}

async function sweepAll(bus: Bus, { olderThanMs, dryRun, json }: Request): Promise<void> {
  await sweep(bus, olderThanMs || SWEPT_AFTER_MS, dryRun, (stray) => {
    const { stream, sequence, subject, at, why } = stray;
    const outcome = SWEPT[why][dryRun ? 'planned' : 'done'];
    if (json) console.log(JSON.stringify({ ...stray, outcome }));
    else console.log(`${outcome}  ${stream} ${sequence}  ${at}  ${subject}  ${why}`);
  });
}

async function audit(bus: Bus, request: Request): Promise<void> {
  for await (const { message } of storedMessages(bus, 'AUDIT', 'audit.dead-letters.*')) {
    const text = Buffer.from(message.data ?? '', 'base64').toString('utf8');
    if (request.json) {
      console.log(text);
      continue;
    }
    const { at, by, did, letter: deadLetter } = JSON.parse(text);
    console.log(
      `${at}  ${by}  ${did}  ${deadLetter.id}  ${deadLetter.function}  ${deadLetter.error}  ${deadLetter.subject}`,
    );
  }
}

const DO: Readonly<Record<string, (bus: Bus, request: Request) => Promise<void>>> = {
  list,
  show,
  redrive: redriveAll,
  discard,
  sweep: sweepAll,
  audit,
};

/** As the operator. Throws within seconds when nobody answers, or the key is not taken. */
export async function connect(
  { url, seedFile }: NatsPlace,
  onClose: (close: () => Promise<void> | void) => void,
): Promise<Bus> {
  const settings = readSettings(natsSettings, { NATS_URL: url, NATS_SEED_FILE: seedFile });
  const shell = { name: OPERATOR.name, settings, log: openLog(OPERATOR.name, 'silent'), onClose };
  try {
    return await openBus(shell, CONNECT_MS);
  } catch (error) {
    const { host } = new URL(url);
    const refused = toAppError(error).code === 'unauthenticated';
    const why = refused ? `${host} does not take this key: set NATS_SEED_FILE` : `no NATS server answers at ${host}`;
    throw new Error(why, { cause: error });
  }
}

export async function deadLettersCommand(
  args: readonly string[],
  environment: Environment = process.env,
): Promise<void> {
  const request = readRequest(args);
  const place = natsPlace(request.nats, environment);
  const closers: (() => Promise<void> | void)[] = [];
  try {
    const bus = await connect(place, (close) => closers.push(close));
    await DO[request.verb]?.(bus, request);
  } finally {
    for (const close of closers) await close();
  }
}
