/** `millrace rotate-signing-key`: a fresh key into the file by which user-service signs; running ones read it by themselves. */
import { existsSync, readFileSync } from 'node:fs';
import { calculateJwkThumbprint } from 'jose';
import { parseJwks, parseSigningKeys } from '../../../functions/users/user-service/signing-keys.ts';
import { UsageError } from '../../cli/cli.ts';
import { writePrivate } from '../../platform/servers/secrets.ts';
import { shown } from '../../registry/repository.ts';
import { rotate } from './rotate.ts';

type Arguments = { readonly file: string; readonly stolen: boolean };

function readArguments(args: readonly string[]): Arguments {
  const rest = [...args];
  const at = rest.indexOf('--file');
  const [, file] = at < 0 ? [] : rest.splice(at, 2);
  if (!file) throw new UsageError('--file needs the path of the signing key');
  const [unknown] = rest.filter((arg) => arg !== '--stolen');
  if (unknown) throw new UsageError(`there is no option ${unknown}`);
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
  return { file, stolen: rest.includes('--stolen') };
}

export async function rotateCommand(args: readonly string[]): Promise<void> {
  const { file, stolen } = readArguments(args);
  const content = readFileSync(file, 'utf8');
  await parseSigningKeys(content);
  const before = parseJwks(content);
  const keys = await rotate(before, new Date(), stolen);
  writePrivate(file, { keys });
  const [fresh] = keys;
  if (!fresh) throw new Error('no key was made');
  const { kty, crv, x } = fresh;
  const from = stolen ? 'at once' : `from ${fresh['millrace:signs_from']}`;
  console.log(`${shown(file)}: key ${await calculateJwkThumbprint({ kty, crv, x })} signs ${from}`);
  console.log(`${shown(file)}: ${keys.length} keys verify, ${before.length - keys.length + 1} dropped`);
  if (stolen)
    console.log(
      'When user-service has read the file, HTTP functions believe the dropped keys for up to 60 s more, longer while it is away',
    );
}
