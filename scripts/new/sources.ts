/** What the sources of the kinds share. Pure. */

/** Name of a file in the function's folder → its text, which Biome formats later. */
export type Sources = Readonly<Record<string, string>>;

/** From a function of `context` to a module of another one or of its own. */
export const pathTo = (context: string, owner: string, file: string): string =>
  context === owner ? `../${file}` : `../../${owner}/${file}`;

/** The imports by the path of the module, as Biome wants them; those of packages come first already. */
export const sortImports = (source: string): string =>
  source.replace(/^(?:import .* from '\..*';\n)+/m, (block) => {
    const moduleOf = (line: string): string => /'(.*)'/.exec(line)?.[1] ?? '';
    const lines = block.trimEnd().split('\n');
    return `${lines.sort((a, b) => (moduleOf(a) < moduleOf(b) ? -1 : 1)).join('\n')}\n`;
  });
