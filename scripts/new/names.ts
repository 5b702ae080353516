/** A function's name → the names of what belongs to it. Pure. */

const words = (name: string): string[] => name.split(/-+/);

/** `order-archive` projects to the table order_archive; a single word is no good name of a table. */
export const tableOf = (name: string): string => (name.includes('-') ? name.replaceAll('-', '_') : `${name}_view`);

/** `archive-order` handles command.order.archive, known to code as ARCHIVE_ORDER, its schema as archiveOrder. */
export function commandOf(name: string) {
  const verb = name.replace(/-order$/, '');
  const [first = '', ...rest] = words(`${verb}-order`);
  return {
    type: `command.order.${verb}`,
    constant: `${verb}-order`.toUpperCase().replaceAll(/-+/g, '_'),
    schema: first + rest.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join(''),
  };
}
