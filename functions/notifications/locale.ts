/** Languages of e-mails: words in each of them, and amounts and times as their readers write them. Pure. */

export const LOCALES = ['en', 'de'] as const;
export type Locale = (typeof LOCALES)[number];
const DEFAULT_LOCALE: Locale = 'en';

/** Anything that was stored → a locale that there is. */
export const localeOf = (stored: string | null | undefined): Locale =>
  LOCALES.find((locale) => locale === stored) ?? DEFAULT_LOCALE;

/** The words of a template: each language has all that English has, or it does not compile. */
export const words = <Words>(
  all: { readonly en: Words } & { readonly [Other in Exclude<Locale, 'en'>]: NoInfer<Words> },
): Readonly<Record<Locale, Words>> => all;

/** With days before months in English too, as most of its readers outside America have it. */
const TAGS: Readonly<Record<Locale, string>> = { en: 'en-GB', de: 'de-DE' };

/** Minor units of an ISO 4217 currency → text such as `€12.50`, or `12,50 €` in German. */
export function money(minor: number, currency: string, locale: Locale): string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** RFC 3339 → text such as `20 November 2026 at 12:00 UTC`. */
export const moment = (time: string, locale: Locale): string =>
  `${new Intl.DateTimeFormat(TAGS[locale], { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(new Date(time))} UTC`;
