/** Arguments of `millrace dead-letters` → what is asked for, checked. */
import os from 'node:os';
import { readOptions, UsageError } from '../../cli/cli.ts';
import { isGoDuration, nanoseconds } from '../../manifests/go-duration.ts';

const OPTIONS = {
  function: { type: 'string' },
  error: { type: 'string' },
  'older-than': { type: 'string' },
  all: { type: 'boolean' },
  limit: { type: 'string' },
  rate: { type: 'string' },
  'dry-run': { type: 'boolean' },
  json: { type: 'boolean' },
  by: { type: 'string' },
  nats: { type: 'string' },
} as const;

export type Request = {
  readonly verb: string;
  readonly ids: readonly number[];
  readonly function: string | undefined;
  readonly error: string | undefined;
  readonly olderThanMs: number;
  readonly limit: number;
  readonly rate: number;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly by: string;
  readonly nats: string | undefined;
};

const VERBS = ['list', 'show', 'redrive', 'discard', 'sweep', 'audit'];

function whole(option: string, text: string | undefined, fallback: number, most: number): number {
  const value = Number(text ?? fallback);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new UsageError(`${option} must be a whole number from 1 to ${most}, not '${text}'`);
}

function age(text: string | undefined): number {
  if (text === undefined) return 0;
  if (isGoDuration(text)) return nanoseconds(text) / 1e6;
  throw new UsageError(`--older-than must be a duration such as 30m or 2h, not '${text}'`);
}

/** A container may run as a user without a name. */
function operator(): string {
  try {
    return os.userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}

/** Throws UsageError, which says what is wrong. */
export function readRequest(args: readonly string[]): Request {
  const { values, positionals } = readOptions(args, OPTIONS);
  const [verb, ...ids] = positionals;
  if (!verb || !VERBS.includes(verb))
    throw new UsageError(`dead-letters takes ${VERBS.join(', ')}${verb ? `, not '${verb}'` : ''}`);
  const chosen = ids.length > 0 || values.function || values.error || values['older-than'] || values.all;
  if (!chosen && (verb === 'redrive' || verb === 'discard'))
    throw new UsageError(`which ones to ${verb}? Give ids, --function, --error, --older-than or --all`);
  if ((verb === 'sweep' || verb === 'audit') && (ids.length > 0 || values.function || values.error || values.limit))
    throw new UsageError(
      `${verb} takes no ids, and neither --function nor --error nor --limit: it is about all there is`,
    );
  if (verb === 'show' && ids.length !== 1) throw new UsageError('show takes one id, as list shows it');
  return {
    verb,
    ids: ids.map((id) => whole('an id', id, 0, Number.MAX_SAFE_INTEGER)),
    function: values.function,
    error: values.error,
    olderThanMs: age(values['older-than']),
    limit: whole('--limit', values.limit, verb === 'list' ? 100 : 100_000, 1_000_000),
    rate: whole('--rate', values.rate, 50, 10_000),
    dryRun: values['dry-run'] ?? false,
    json: values.json ?? false,
    by: values.by ?? operator(),
    nats: values.nats,
  };
}
