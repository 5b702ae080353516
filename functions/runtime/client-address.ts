/** X-Forwarded-For and the address of the connection → the address of the client, as far as it can be trusted. Pure. */
import { isIP } from 'node:net';

/** An IPv4 address that a socket for both families shows as IPv6. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/**
 * Each proxy in front notes whom it got the request from at the end of X-Forwarded-For; what is further to the left may be
 * the client's own invention. `proxies` is their number; with 0 the header means nothing.
 */
export function clientAddress(
  forwardedFor: string | string[] | undefined,
  connection: string | undefined,
  proxies: number,
): string {
  const noted = [forwardedFor ?? []].flat().join(',').split(',');
  const hops = [...noted.map((hop) => hop.trim()).filter(Boolean), connection ?? ''].map(plain);
  const client = hops.at(-1 - proxies) ?? hops[0] ?? '';
  return isIP(client) ? client : plain(connection ?? '');
}
