/** A name of letters, digits and hyphens → as code, Postgres and NATS spell it. Pure. */

const words = (name: string): string[] => name.split(/-+/);
const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);

/** `send-parcel` → `SendParcel`. */
export const pascal = (name: string): string => words(name).map(capital).join('');
/** `send-parcel` → `sendParcel`. */
export const camel = (name: string): string => pascal(name).replace(/^./, (first) => first.toLowerCase());
/** `send-parcel` → `SEND_PARCEL`. */
export const constant = (name: string): string => words(name).join('_').toUpperCase();
/** `send-parcel` → `send_parcel`. */
export const snake = (name: string): string => words(name).join('_');

/** `order-archive` projects to the table order_archive; a single word is no good name of a table. */
export const tableOf = (name: string): string => (name.includes('-') ? snake(name) : `${name}_view`);

/** `archive-order` of aggregate order handles command.order.archive, known to code as ARCHIVE_ORDER, its schema as archiveOrder. */
export function commandOf(name: string, aggregate: string) {
  const whole = name.includes('-') ? name : `${name}-${aggregate}`;
  const verb = whole.endsWith(`-${aggregate}`) ? whole.slice(0, -aggregate.length - 1) : whole;
  return { type: `command.${aggregate}.${snake(verb)}`, constant: constant(whole), schema: camel(whole) };
}
