/** X-Forwarded-For and the address of the connection → the address of the client, as far as it can be trusted. Pure. */
import { BlockList, isIP, isIPv4 } from 'node:net';

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv4(address) ? 'ipv4' : 'ipv6');

/** Addresses and ranges such as `10.0.0.0/8`, separated by commas. Throws, naming the entry, for what is neither. */
export function readProxies(text: string): BlockList {
  const proxies = new BlockList();
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const [, address = '', length] = /^([\da-f.:]+)(?:\/(\d{1,3}))?$/i.exec(entry) ?? [];
    const longest = isIPv4(address) ? 32 : 128;
    const bits = length === undefined ? longest : Number(length);
    if (!isIP(address) || bits > longest)
      throw new Error(`has '${entry}', which is neither an address nor a range such as 10.0.0.0/8`);
    proxies.addSubnet(address, bits, familyOf(address));
  }
  return proxies;
}

/** An IPv4 address that a socket for both families shows as IPv6. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/**
 * Each proxy in front notes whom it got the request from at the end of X-Forwarded-For. Only the notes of `proxies` are
 * believed: what is further to the left may be the client's own invention. Without proxies the header means nothing.
 */
export function clientAddress(
  forwardedFor: string | string[] | undefined,
  connection: string | undefined,
  proxies: BlockList,
): string {
  const notes = [forwardedFor ?? []].flat().join(',').split(',');
  let client = plain(connection ?? '');
  for (const hop of notes.map((note) => plain(note.trim())).reverse()) {
    if (hop === '') continue;
    if (!isIP(hop) || !proxies.check(client, familyOf(client))) break;
    client = hop;
  }
  return client;
}
