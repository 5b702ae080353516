/** What is wanted → its folder in knative/functions/, made like that of its model: name, events and description are its own. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { filterOf } from '../../functions/runtime/messages/message.ts';
import { repository } from '../registry/repository.ts';
import { wordsOf } from './events.ts';
import { commandOf } from './names.ts';
import { MODELS, type Request } from './request.ts';

/** The first thing that the pattern finds; throws when it finds nothing. */
function change(text: string, pattern: RegExp, replacement: string, file: string): string {
  if (pattern.test(text)) return text.replace(pattern, replacement);
  throw new Error(`${file} has nothing like ${pattern}: mend scripts/new/manifests.ts, which copies it`);
}

function consumer(text: string, request: Request, file: string): string {
  const { kind, name, events } = request;
  const types = kind === 'command' ? [commandOf(name).type] : events;
  const filters = `filterSubjects: ${JSON.stringify(types.map(filterOf)).replaceAll(',', ', ')}`;
  const described = change(text, /description: .*/, `description: what ${name} takes`, file);
  return change(described, /filterSubjects:(?: \[.*\]|(?:\n +- .+)+)/, filters, file);
}

/** Path → text. */
export function manifestsOf(request: Request): Map<string, string> {
  const { kind, name, events } = request;
  const model = MODELS[kind];
  const folder = 'knative/functions';
  const files = readdirSync(path.join(repository, folder, model)).map((base): [string, string] => {
    const file = path.join(folder, model, base);
    const own = readFileSync(path.join(repository, file), 'utf8').replaceAll(model, name);
    const stream = events.length > 0 ? own.replaceAll(/\bORDERS\b/g, wordsOf(request).streamName) : own;
    const text = base === 'consumer.yaml' ? consumer(stream, request, file) : stream;
    return [path.join(folder, name, base), text];
  });
  return new Map(files);
}
