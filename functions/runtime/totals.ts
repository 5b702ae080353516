/** Builder of projectors that add up: events → sums in the rows of one table; each event counts once, however often and in whatever order it comes. */
import { invalid } from './errors.ts';
import { type EventOf, type ProjectorDefinition, projection, type Schemas } from './handling/projection.ts';
import type { Queries } from './postgres.ts';

/** What an event adds: the key of a row, and integers, negative ones too; an amount that is left out is 0. */
type Addition<Key extends string, Amount extends string> = Readonly<Record<Key, string | number>> &
  Readonly<Partial<Record<Amount, number>>>;

type TotalsSpec<Accepts extends Schemas, Key extends string, Amount extends string> = {
  readonly stream: string;
  readonly accepts: Accepts;
  /** Beside it there is `<table>_applied (event_id text primary key)`. */
  readonly table: string;
  /** The columns of the table's primary key. */
  readonly key: readonly Key[];
  /** The other columns: `bigint not null default 0`, or numeric. */
  readonly amounts: readonly Amount[];
  /** Pure. An event → what it adds, to one row or to several; undefined when it adds nothing. */
  adds(event: EventOf<Accepts>): Addition<Key, Amount> | readonly Addition<Key, Amount>[] | undefined;
};

type Columns = { readonly key: readonly string[]; readonly amounts: readonly string[] };
type Added = { readonly id: string; readonly row: Readonly<Record<string, unknown>> };

const list = (columns: readonly string[], each = (column: string) => column): string =>
  columns.map((column) => each(`"${column}"`)).join(', ');

/**
 * Ids that are not in the table yet go into it, and what these events add goes to the totals: both or neither. Who adds the
 * same event at the same time waits for the id. Ids and rows are taken in one order, so that two never wait in a ring.
 */
const totalsStatement = (table: string, applied: string, { key, amounts }: Columns): string => `
  with applied as (
    insert into ${applied} (event_id) select unnest($1::text[]) on conflict do nothing returning event_id
  )
  insert into ${table} as total (${list([...key, ...amounts])})
  select ${list(key, (column) => `adds.${column}`)}, ${list(amounts, (column) => `sum(coalesce(adds.${column}, 0))`)}
  from json_array_elements($2::json) as added
  join applied on applied.event_id = added ->> 'id'
  cross join lateral json_populate_record(null::${table}, added -> 'row') as adds
  group by ${list(key, (column) => `adds.${column}`)} order by ${list(key, (column) => `adds.${column}`)}
  on conflict (${list(key)}) do update set ${list(amounts, (column) => `${column} = total.${column} + excluded.${column}`)}`;

function checkAmounts(type: string, row: Added['row'], amounts: readonly string[]): void {
  const wrong = amounts.find((amount) => row[amount] !== undefined && !Number.isSafeInteger(row[amount]));
  if (wrong === undefined) return;
  throw invalid('not-an-amount', `${type} adds ${row[wrong]} to ${wrong}: what is added must be an integer`);
}

/** Parameters of the statement: the ids of the events, each once, in order; what each of them adds. */
export function parametersOf<Event extends { readonly id: string; readonly type: unknown }>(
  events: readonly Event[],
  adds: (event: Event) => Added['row'] | readonly Added['row'][] | undefined,
  amounts: readonly string[],
): readonly [ids: readonly string[], added: readonly Added[]] {
  const byId = new Map(events.map((event) => [event.id, event]));
  const added = [...byId].flatMap(([id, event]) =>
    [adds(event) ?? []].flat().map((row): Added => {
      checkAmounts(String(event.type), row, amounts);
      return { id, row };
    }),
  );
  return [[...byId.keys()].sort(), added];
}

export function totals<const Accepts extends Schemas, const Key extends string, const Amount extends string>({
  adds,
  amounts,
  ...spec
}: TotalsSpec<Accepts, Key, Amount>): ProjectorDefinition {
  const { table, key } = spec;
  const applied = `${table}_applied`;
  return projection({
    ...spec,
    applied,
    async write(database: Queries, events, suffix) {
      const [ids, added] = parametersOf(events, adds, amounts);
      const text = totalsStatement(table + suffix, applied + suffix, { key, amounts });
      await database.query({ name: `project-${table}${suffix}`, text, values: [ids, JSON.stringify(added)] });
    },
  });
}
