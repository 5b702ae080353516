/** Two states of an aggregate → a row for each field of either, with both values. Pure. */

export type Row = {
  /** Such as `parts[0].pieces`. */
  readonly field: string;
  /** As JSON; undefined where it is not there. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly changed: boolean;
};

const MOST_ROWS = 1_000;

function leaves(value: unknown, at: string): [string, string][] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((one, index) => leaves(one, `${at}[${index}]`));
  const fields = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (fields.length > 0) return fields.flatMap(([name, one]) => leaves(one, at ? `${at}.${name}` : name));
  return [[at, JSON.stringify(value) ?? '']];
}

/** In the order that the newer one has them; what it has no more comes last. */
export function difference(before: unknown, after: unknown): Row[] {
  const old = new Map(before === undefined ? [] : leaves(before, ''));
  const fresh = new Map(after === undefined ? [] : leaves(after, ''));
  const fields = [...new Set([...fresh.keys(), ...old.keys()])].slice(0, MOST_ROWS);
  return fields.map((field) => {
    const was = old.get(field);
    const is = fresh.get(field);
    return { field, before: was, after: is, changed: was !== is };
  });
}
