/** Which URLs and addresses may be called: the public internet by https on few ports, unless told otherwise. Pure; who asks DNS is given. */
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { type AppError, invalid } from '../errors.ts';
import type { Outbound } from '../function.ts';

/** What may be called besides public addresses by https on port 443. */
export type Allowed = {
  /** Loopback addresses, by http and on any port too: for trying out. */
  readonly loopback?: boolean;
  readonly ports?: readonly number[];
  /** Hosts that may be at any address. */
  readonly hosts?: readonly Outbound[];
  /** Those hosts also by http. */
  readonly http?: boolean;
};

/** Of IPv4, all that is not the public internet (IANA's special-purpose registry): what the network policy excepts, too. */
export const NOT_PUBLIC_V4: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Of IPv6 only this is the internet: no loopback, link-local, unique-local or multicast, and no IPv4 that is mapped or by NAT64. */
export const PUBLIC_V6 = '2000::/3';
/** But Teredo and other protocols, documentation, and 6to4. */
export const NOT_PUBLIC_V6: readonly string[] = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const PORTS: readonly number[] = [443];
const LONGEST_URL = 2_000;

const listOf = (family: 'ipv4' | 'ipv6', ranges: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    list.addSubnet(network, Number(bits), family);
  }
  return list;
};
const notPublicV4 = listOf('ipv4', NOT_PUBLIC_V4);
const publicV6 = listOf('ipv6', [PUBLIC_V6]);
const notPublicV6 = listOf('ipv6', NOT_PUBLIC_V6);
const loopbackV4 = listOf('ipv4', ['127.0.0.0/8']);

/** Whether a connection to this address may be made; what is no address may not. */
export function isAllowed(address: string, { loopback = false }: Allowed): boolean {
  const family = isIP(address);
  if (family === 4) return (loopback && loopbackV4.check(address)) || !notPublicV4.check(address);
  if (family !== 6 || address.includes('%')) return false;
  if (loopback && address === '::1') return true;
  return publicV6.check(address, 'ipv6') && !notPublicV6.check(address, 'ipv6');
}

/** A name that means this very machine, whatever DNS says. */
export const isLocalName = (host: string): boolean => /(^|\.)localhost\.?$/.test(host);

/** Whether a URL's host is one of those that may be at any address. */
export const isTrusted = ({ hostname }: URL, { hosts = [] }: Allowed): boolean =>
  hosts.some(({ host }) => host === hostname);

const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === 'https:' ? 443 : 80));

function portsFor({ hostname }: URL, { hosts = [], ports = PORTS }: Allowed): readonly number[] {
  const own = hosts.filter(({ host }) => host === hostname).flatMap((one) => one.ports);
  return own.length > 0 ? own : ports;
}

/** Why a URL must not be called, as far as it can be told without asking DNS; undefined when there is no reason. */
export function urlFault(text: string, allowed: Allowed): string | undefined {
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) return 'must not have control characters';
  if (text.length > LONGEST_URL) return `has more than ${LONGEST_URL} characters`;
  if (!URL.canParse(text)) return 'is not a URL; write it as https://host/path';
  const url = new URL(text);
  const trusted = isTrusted(url, allowed);
  const { loopback = false, http = false } = allowed;
  if (url.protocol !== 'https:' && !((loopback || (trusted && http)) && url.protocol === 'http:'))
    return 'must begin with https://';
  if (url.username || url.password) return 'must not hold a user or a password; credentials go in headers';
  if (url.hash) return 'must not have a fragment (#…)';
  const ports = portsFor(url, allowed);
  if (!loopback && !ports.includes(portOf(url))) return `must be on port ${ports.join(' or ')}`;
  if (trusted) return undefined;
  // WHATWG has made one form of all the ways to write an IPv4 address.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const hidden = isIP(host) ? !isAllowed(host, allowed) : isLocalName(host) && !loopback;
  return hidden ? 'must be on a public address' : undefined;
}

const forbiddenTarget = (): AppError => invalid('forbidden-target', 'The host has an address that is not public');

export type AskDns = (
  host: string,
  options: { all: true },
  done: (error: NodeJS.ErrnoException | null, found: { address: string; family: number }[]) => void,
) => void;

/**
 * For node:net: the addresses of a name, when every one of them is allowed. The socket connects to what was checked, so a
 * second answer of DNS cannot lead elsewhere. Names that are addresses are not asked for: `urlFault` checks those.
 */
export const guardedLookup =
  (allowed: Allowed, ask: AskDns): LookupFunction =>
  (host, options, done) => {
    ask(host, { all: true }, (error, found) => {
      const [first] = found ?? [];
      if (error) return done(error, '');
      if (!first || !found.every(({ address }) => isAllowed(address, allowed))) return done(forbiddenTarget(), '');
      if (options.all) return done(null, found);
      done(null, first.address, first.family);
    });
  };
