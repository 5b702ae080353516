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

/** Groups of three digits, such as `1,234`. */
const grouped = (digits: string, by: string): string => digits.replaceAll(/\B(?=(?:\d{3})+$)/g, by);

/** As Intl writes them, which costs a function that starts for one e-mail 13 ms: it is loaded for other currencies alone. */
const EUROS: Readonly<Record<Locale, (whole: string, cents: string) => string>> = {
  en: (whole, cents) => `€${grouped(whole, ',')}.${cents}`,
  de: (whole, cents) => `${grouped(whole, '.')},${cents}\u00a0€`,
};

/** Minor units, from 0, of an ISO 4217 currency → text such as `€12.50`, or `12,50 €` in German. */
export function money(minor: number, currency: string, locale: Locale): string {
  if (currency === 'EUR') return EUROS[locale](String(Math.floor(minor / 100)), String(minor % 100).padStart(2, '0'));
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** With days before months in English too, as most of its readers outside America have it. */
const MONTHS: Readonly<Record<Locale, string>> = {
  en: 'January February March April May June July August September October November December',
  de: 'Januar Februar März April Mai Juni Juli August September Oktober November Dezember',
};
const DATES: Readonly<Record<Locale, (day: number, month: string, year: number, time: string) => string>> = {
  en: (day, month, year, time) => `${day} ${month} ${year} at ${time} UTC`,
  de: (day, month, year, time) => `${day}. ${month} ${year} um ${time} UTC`,
};

/** RFC 3339 → text such as `20 November 2026 at 12:00 UTC`. */
export function moment(time: string, locale: Locale): string {
  const at = new Date(time);
  const month = MONTHS[locale].split(' ')[at.getUTCMonth()] ?? '';
  return DATES[locale](at.getUTCDate(), month, at.getUTCFullYear(), at.toISOString().slice(11, 16));
}
