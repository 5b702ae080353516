/** The client's address in a call's metadata → the network that attempts are counted by: one IPv4 address, or an IPv6 /64. */
import { isIPv4, isIPv6 } from 'node:net';

/** Who a call is done for. */
export type Client = {
  /** undefined where it is not known, and nothing is counted by it. */
  readonly network: string | undefined;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
};

/** Eight groups of the address, as numbers. */
function groupsOf(ipv6: string): number[] {
  const written = new URL(`http://[${ipv6}]`).hostname.slice(1, -1);
  const [head = '', tail] = written.split('::').map((part) => part.split(':').filter(Boolean));
  const groups = tail === undefined ? [...head] : [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
  return groups.map((group) => Number.parseInt(group, 16));
}

/** undefined for what is no IP address. IPv4 written as IPv6 is the IPv4 address. */
export function clientNetwork(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  if (isIPv4(address)) return address;
  const [ip = ''] = address.split('%');
  if (!isIPv6(ip)) return undefined;
  const groups = groupsOf(ip);
  const [high = 0, low = 0] = groups.slice(6);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}
