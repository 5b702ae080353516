/** What functions declare of their settings → the table of settings in functions/README.md. Pure. */
import { commonSettings } from '../../functions/runtime/function.ts';
import type { Setting } from '../../functions/runtime/settings.ts';
import type { DefinedFunction } from '../registry/functions.ts';

type Having = Pick<DefinedFunction, 'name' | 'settings'>;

const HEAD = ['| setting | functions | what it is | default |', '|---|---|---|---|'];

const quoted = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

/** Those that have it, or all but those that have not, whichever is shorter. */
function whoHas(name: string, functions: readonly Having[]): string {
  const [having, lacking] = [true, false].map((has) =>
    functions.filter(({ settings }) => name in settings === has).map((one) => one.name),
  ) as [string[], string[]];
  if (name in commonSettings || lacking.length === 0) return 'all';
  return lacking.length < having.length ? `all but ${quoted(lacking)}` : quoted(having);
}

function whatItIs(name: string, { description, optional, secret, together }: Setting): string {
  const others = together.filter((one) => one !== name);
  const notes = [
    ...(secret ? ['secret'] : []),
    ...(optional ? ['optional'] : []),
    ...(others.length > 0 ? [`together with ${quoted(others)}`] : []),
  ];
  return [description, ...(notes.length > 0 ? [`(${notes.join(', ')})`] : [])].join(' ').replaceAll('|', '\\|');
}

const defaultOf = ({ default: preset }: Setting): string =>
  preset === undefined ? ' ' : preset === '' ? 'empty' : `\`${preset}\``;

/** Those of every function come first; the others are in the order of their names. */
export function settingsTable(functions: readonly Having[]): string[] {
  const own = Object.assign({}, ...functions.map(({ settings }) => settings)) as Readonly<Record<string, Setting>>;
  const sorted = Object.entries(own)
    .filter(([name]) => !(name in commonSettings))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = [...Object.entries<Setting>(commonSettings), ...sorted].map(
    ([name, setting]) =>
      `| \`${name}\` | ${whoHas(name, functions)} | ${whatItIs(name, setting)} | ${defaultOf(setting)} |`,
  );
  return [...HEAD, ...rows];
}
