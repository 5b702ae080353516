/** What a generator gives: files by their paths in the repository → their whole text. */
export type Generated = Readonly<Record<string, string>>;
