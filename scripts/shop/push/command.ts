/** `millrace push <file|->`: CloudEvents in JSON → POST /v1/events of the shop, and what it answers. */
import { existsSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { readPushed } from '../../../functions/api/event-ingress/read.ts';
import { BATCH, STRUCTURED } from '../../../functions/runtime/cloud-event.ts';
import { type Environment, localFolder, localUrl, UsageError } from '../../cli/cli.ts';
import { readPrivate } from '../../platform/servers/secrets.ts';
import type { Demo } from '../demo/seed.ts';
import { post, signIn } from './client.ts';

const OPTIONS = {
  url: { type: 'string' },
  'token-file': { type: 'string' },
  'dry-run': { type: 'boolean' },
} as const;

type Arguments = {
  /** A path, or `-` for standard input; so is `tokenFile`. */
  readonly file: string;
  readonly url: string | undefined;
  readonly tokenFile: string | undefined;
  readonly dryRun: boolean;
};

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function checkUrl(url: string): void {
  if (!URL.canParse(url) || !/^https?:\/\//.test(url))
    throw new UsageError(`--url must be a URL such as https://shop.example, not '${url}'`);
  const { username, password, search, hash } = new URL(url);
  if (username || password || search || hash)
    throw new UsageError(
      '--url is only where the shop is, without user, password, ? or #; the token is for --token-file',
    );
}

function checkFile(what: string, file: string): void {
  if (file !== '-' && !existsSync(file)) throw new UsageError(`${what}: there is no file ${file}`);
}

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parsed(args);
  const { url, 'token-file': tokenFile, 'dry-run': dryRun = false } = values;
  const [file, ...more] = positionals;
  if (file === undefined)
    throw new UsageError('push needs a file with a CloudEvent in JSON, or an array of them; - is standard input');
  if (more.length > 0) throw new UsageError(`push takes one file at a time, not also ${more.join(' ')}`);
  if (url !== undefined) checkUrl(url);
  if (url !== undefined && tokenFile === undefined)
    throw new UsageError('--url needs --token-file, a file with an access token of that shop; - is standard input');
  if (file === '-' && tokenFile === '-')
    throw new UsageError('--token-file and the events cannot both be standard input; put one of them into a file');
  checkFile('push', file);
  if (tokenFile !== undefined) checkFile('--token-file', tokenFile);
  return { file, url, tokenFile, dryRun };
}

const read = async (file: string): Promise<string> => (file === '-' ? text(process.stdin) : readFileSync(file, 'utf8'));

function parseEvents(json: string, file: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    const where = file === '-' ? 'Standard input' : file;
    throw new Error(`${where} is not JSON (${error instanceof Error ? error.message : error})`);
  }
}

async function readToken(file: string): Promise<string> {
  const token = (await read(file)).trim();
  if (/^[\w\-.~+/]+=*$/.test(token)) return token;
  throw new Error(`${file === '-' ? 'Standard input' : file} must hold an access token and nothing else`);
}

/** The token of the demo staff, whose password `npm start` keeps in the data folder. */
async function localToken(url: string, environment: Environment): Promise<string> {
  const demo = readPrivate<Demo>(localFolder(environment).demo);
  if (!demo) throw new UsageError('the demo accounts of the local shop are not there: set --token-file');
  return signIn(url, demo.staff);
}

export async function pushCommand(args: readonly string[], environment: Environment = process.env): Promise<void> {
  const { file, url: given, tokenFile, dryRun } = readArguments(args);
  const events = parseEvents(await read(file), file);
  const media = Array.isArray(events) ? BATCH : STRUCTURED;
  if (dryRun) {
    // Which role the sender has only the shop knows.
    const { length } = readPushed({ headers: { 'content-type': media }, body: events }, { role: 'staff' });
    return console.log(`${length} ${length === 1 ? 'event is' : 'events are'} as they must be; nothing was sent`);
  }
  const url = given ?? localUrl('http', 'shop', '--url and --token-file', environment);
  const token = tokenFile === undefined ? await localToken(url, environment) : await readToken(tokenFile);
  const answer = await post(url, '/v1/events', media, JSON.stringify(events), { authorization: `Bearer ${token}` });
  console.log(JSON.stringify(answer, null, 2));
}
