/** Environment and mounted files → the settings that a function declares. The only reader of process.env; all that is wrong is said in one message. */
import { existsSync } from 'node:fs';
import { type CommonSettings, commonSettings } from '../function.ts';
import { ConfigError, type Setting, type SettingsOf } from '../settings.ts';
import { hasSecret, readSecret } from './secrets.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Declared = Readonly<Record<string, Setting>>;

/** Text of a setting, and where it is read again when it changes; from the environment it stays as it is. */
function openSource(environment: Environment) {
  const folder = environment.SECRETS_FOLDER || String(commonSettings.SECRETS_FOLDER.default);
  const mounted = existsSync(folder);
  return {
    has: (name: string): boolean => Boolean(environment[name]) || (mounted && hasSecret(folder, name)),
    first: (name: string): string | undefined => environment[name] || (mounted ? readSecret(folder, name) : undefined),
    again: (name: string) =>
      environment[name]
        ? undefined
        : () => {
            const raw = readSecret(folder, name);
            if (!raw) throw new Error('is not set any more');
            return raw;
          },
  };
}

function readOne(name: string, setting: Setting, source: ReturnType<typeof openSource>): unknown {
  const raw = source.first(name) || setting.default;
  if (raw !== undefined) return setting.read(name, raw, source.again(name));
  const wanted = setting.together.some((other) => source.has(other));
  if (setting.optional && !wanted) return undefined;
  throw new Error(`is not set${wanted ? `; ${setting.together.join(', ')} go together` : ''}`);
}

/**
 * The settings that are declared, and those that every function has: from the environment, else from the file of that name
 * in SECRETS_FOLDER. Throws one ConfigError that lists all that is wrong.
 */
export function readSettings<Own extends object>(
  own: SettingsOf<Own>,
  environment: Environment = process.env,
): CommonSettings & Own {
  const source = openSource(environment);
  const problems: string[] = [];
  const settings: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>({ ...commonSettings, ...(own as Declared) })) {
    try {
      settings[name] = readOne(name, setting, source);
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : error}`);
    }
  }
  if (problems.length > 0)
    throw new ConfigError(`The environment is not complete:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
  return settings as CommonSettings & Own;
}
