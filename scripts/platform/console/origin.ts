/** Who may ask the console: this machine by its own names, and for what can do something the console's own page alone. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../../../functions/runtime/errors.ts';

const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d{1,5})?$/i;

const forbidden = (slug: string, message: string): AppError => new AppError('forbidden', slug, message);

/** Another site can point its name at this machine, and would be asked under that name. */
export function refuseForeignHost({ host = '' }: IncomingHttpHeaders): void {
  if (!LOOPBACK.test(host))
    throw forbidden('foreign-host', 'This is for 127.0.0.1 and localhost alone: ask by one of those names');
}

/** Browsers say where a page is from that asks; whoever is no browser says nothing. */
export function refuseForeignSite({ 'sec-fetch-site': site = 'none' }: IncomingHttpHeaders): void {
  if (site !== 'same-origin' && site !== 'none')
    throw forbidden('foreign-site', 'Another site cannot ask the console: open /console and do it there');
}

/** What changes something is asked for by the console's own page: its Origin is the host that it asks. */
export function refuseForeignOrigin({ origin, host = '' }: IncomingHttpHeaders): void {
  if (origin !== `http://${host}`)
    throw forbidden(
      'foreign-origin',
      'This changes something, so it needs the header Origin of the console itself; do it at /console, or by npx millrace',
    );
}
