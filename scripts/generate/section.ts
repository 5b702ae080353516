/** A part of a file that is written by hand, between two marker lines → the file with that part as it is generated. Pure. */

/** The words of the markers; each is a comment of the file's language, such as `# generated: images`. */
const BEGIN = 'generated:';
const END = 'end of generated:';

/**
 * `text` with `lines` between its markers `generated: <name>` and `end of generated: <name>`, indented as the first of them.
 * Throws when `file`, as it is told to people, has no such markers, or has them twice.
 */
export function withSection(file: string, text: string, name: string, lines: readonly string[]): string {
  const all = text.split('\n');
  const marks = (word: string) =>
    all.flatMap((line, at) => (line.includes(`${word} ${name} `) || line.endsWith(`${word} ${name}`) ? [at] : []));
  const ends = marks(END);
  const begins = marks(BEGIN).filter((at) => !ends.includes(at));
  const [[begin], [end]] = [begins, ends];
  if (begin === undefined || end === undefined || begins.length > 1 || ends.length > 1 || end < begin)
    throw new Error(`${file} must have a comment '${BEGIN} ${name}' and after it one '${END} ${name}', each once`);
  const indent = /^\s*/.exec(all[begin] ?? '')?.[0] ?? '';
  const inside = lines.map((line) => (line === '' ? '' : indent + line));
  return [...all.slice(0, begin + 1), ...inside, ...all.slice(end)].join('\n');
}
