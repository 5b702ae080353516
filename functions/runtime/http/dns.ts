/** The name of a host → its addresses, by DNS alone: no file of hosts, no search domains, and no thread that waits. */
import { Resolver } from 'node:dns/promises';
import { type AskDns, isLocalName } from './public-address.ts';

const TIMEOUT_MS = 1_500;
const TRIES = 2;

const NOT_THERE = ['ENOTFOUND', 'ENODATA'];

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error('The name has no address'), { code });

const LOOPBACK = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Of the system's own lookup there are four at a time in a process, and one whose server is silent takes 10 s and more: the
 * names of one host would hold up all the others. Fails with ENOTFOUND, or EAI_AGAIN when DNS does not answer.
 */
export function openDns(resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES })): AskDns {
  const ask = async (host: string, family: 4 | 6) => {
    const addresses = await (family === 4 ? resolver.resolve4(host) : resolver.resolve6(host));
    return addresses.map((address) => ({ address, family }));
  };
  const find = async (host: string) => {
    if (isLocalName(host)) return LOOPBACK;
    const answers = await Promise.allSettled([ask(host, 4), ask(host, 6)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found;
    const notThere = answers.every((answer) => answer.status === 'rejected' && NOT_THERE.includes(answer.reason.code));
    throw failure(notThere ? 'ENOTFOUND' : 'EAI_AGAIN');
  };
  return (host, _, done) => {
    find(host).then(
      (found) => done(null, found),
      (error) => done(error, []),
    );
  };
}
