/** Pure: minor units of an ISO 4217 currency → text for a reader, such as `€12.50` or `¥1,250`. */
export function money(minor: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}
