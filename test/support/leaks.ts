/** All that a shop has said of itself (logs, spans, metrics) → the secrets and personal data in it: there must be none. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { DataFolder } from '../../scripts/platform/servers/data-folder.ts';
import { dataDirFor } from '../../scripts/platform/servers/postgres/postgres.ts';

/** What was given to the shop or by it → what it is. */
export type Planted = Map<string, string>;

/** Fields of requests and answers of the API whose values nobody but the caller may learn; products have names as well. */
const PRIVATE = [
  'email',
  'password',
  'currentPassword',
  'newPassword',
  'accessToken',
  'refreshToken',
  'token',
  'secret',
];
export const SENT: ReadonlySet<string> = new Set([...PRIVATE, 'name']);
export const ANSWERED: ReadonlySet<string> = new Set(PRIVATE);
/** Shorter ones are in any text. */
const SHORTEST = 6;

/** Notes the private fields in the body of a request or an answer. */
export function plant(planted: Planted, body: unknown, fields: ReadonlySet<string>): void {
  if (typeof body !== 'object' || body === null) return;
  for (const [key, value] of Object.entries(body)) {
    if (typeof value === 'object') plant(planted, value, fields);
    else if (fields.has(key) && typeof value === 'string' && value.length >= SHORTEST) planted.set(value, key);
  }
}

/** Notes the secrets in the links of e-mails, and whom they were sent to. */
export function plantMails(planted: Planted, mails: readonly { readonly to: string; readonly text: string }[]): void {
  for (const { to, text } of mails) {
    planted.set(to, 'address');
    for (const [, secret = ''] of text.matchAll(/#(\S{6,})$/gm)) planted.set(secret, 'link');
  }
}

const filesBelow = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name))
    : [];

/** Keys of NATS, the key that signs tokens, and the passwords of Postgres. */
function secretsOf({ secrets }: DataFolder): Planted {
  const found: Planted = new Map();
  for (const file of filesBelow(secrets)) {
    const text = readFileSync(file, 'utf8');
    const values = text.match(/[\w+/-]{16,}/g) ?? [];
    const [, key] = /"d":\s*"([^"]+)"/.exec(text) ?? [];
    const kept = file.endsWith('NATS_SEED') ? values : file.includes('postgres-logins') ? passwordsIn(text) : [];
    for (const value of key ? [key] : kept) found.set(value, path.basename(file));
  }
  return found;
}

const passwordsIn = (text: string): string[] => Object.values(JSON.parse(text) as Record<string, string>);

/** `metrics` is what the shop answers about them. Gives where and what, without the value. */
export function leaks(paths: DataFolder, planted: Planted, metrics: string): string[] {
  const texts = new Map([
    ...filesBelow(paths.logs).map((file) => [path.basename(file), readFileSync(file, 'utf8')] as const),
    ...[paths.traces, paths.tracesBefore, path.join(dataDirFor(paths.postgres), 'server.log')]
      .filter((file) => existsSync(file))
      .map((file) => [path.basename(file), readFileSync(file, 'utf8')] as const),
    ['metrics', metrics],
  ]);
  const secrets = secretsOf(paths);
  if (secrets.size === 0) throw new Error('there are no secrets to look for');
  return [...planted, ...secrets].flatMap(([value, what]) =>
    [...texts].flatMap(([file, text]) => {
      const at = text.indexOf(value);
      if (at < 0) return [];
      const around = text.slice(text.lastIndexOf('\n', at) + 1, at).slice(-200);
      return [`${file} has a ${what}, after: ${around}`];
    }),
  );
}
