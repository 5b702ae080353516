import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { guardedLookup, isAllowed, urlFault } from './public-address.ts';

const PUBLIC = { loopback: false, ports: [443, 8443] };
const LOCAL = { loopback: true };

test.each([
  ['https://partner.example/hooks?key=1', undefined],
  ['https://partner.example:8443/', undefined],
  ['https://93.184.216.34/', undefined],
  ['https://[2606:2800:220:1::1]/', undefined],
  ['partner.example', 'is not a URL'],
  [`https://partner.example/${'a'.repeat(2_000)}`, 'has more than'],
  ['http://partner.example/', 'must begin with https://'],
  ['ftp://partner.example/', 'must begin with https://'],
  ['file:///etc/passwd', 'must begin with https://'],
  ['https://user:word@partner.example/', 'must not hold a user'],
  ['https://partner.example/#part', 'must not have a fragment'],
  ['https://partner.example:6379/', 'must be on port 443 or 8443'],
  ['https://localhost/', 'must be on a public address'],
  ['https://api.localhost./', 'must be on a public address'],
  ['https://127.0.0.1/', 'must be on a public address'],
  ['https://2130706433/', 'must be on a public address'],
  ['https://0177.0.0.1/', 'must be on a public address'],
  ['https://0x7f.1/', 'must be on a public address'],
  ['https://127.1/', 'must be on a public address'],
  ['https://１２７.0.0.1/', 'must be on a public address'],
  ['https://0xa9fea9fe/', 'must be on a public address'],
  ['https://[::ffff:10.0.0.1]/', 'must be on a public address'],
  ['https://[::1]/', 'must be on a public address'],
  ['https://127.0.0.1./', 'must be on a public address'],
  ['https://0/', 'must be on a public address'],
  ['https://ⓛocalhost/', 'must be on a public address'],
  ['https://LOCALHOST./', 'must be on a public address'],
  ['https://[64:ff9b::a9fe:a9fe]/', 'must be on a public address'],
  ['https://[fe80::1%25eth0]/', 'is not a URL'],
  ['https://partner.example\\@127.0.0.1/', undefined],
  ['https://partner.example/\u0000', 'must not have control characters'],
  ['https://partner.example/\ud800', 'must not have control characters'],
])('of %s it is said: %s', (url, fault) => {
  const found = urlFault(url, PUBLIC);
  if (fault === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(fault);
});

test.each([
  '0.0.0.0',
  '10.255.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.8.8.8',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.168.1.1',
  '198.19.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::7f00:1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::7f00:1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'not an address',
])('%s is not public', (address) => expect(isAllowed(address, PUBLIC)).toBe(false));

test.each([
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.0.1',
  '2606:4700::1111',
])('%s is public', (address) => expect(isAllowed(address, PUBLIC)).toBe(true));

test('locally loopback is allowed by http on any port, and no other address that is not public', () => {
  for (const url of ['http://127.0.0.1:9000/', 'http://localhost:9000/', 'http://[::1]:9000/'])
    expect(urlFault(url, LOCAL)).toBeUndefined();
  for (const url of ['http://10.0.0.1/', 'http://169.254.169.254/', 'http://[::ffff:127.0.0.1]/'])
    expect(urlFault(url, LOCAL)).toContain('public');
});

test('a host that is declared may be at any address, on its own ports, and by http only where that is allowed', () => {
  const hosts = [{ host: 'gateway.internal', ports: [8443, 8080] }];
  expect(urlFault('https://gateway.internal:8443/sms', { hosts })).toBeUndefined();
  expect(urlFault('https://gateway.internal/sms', { hosts })).toBe('must be on port 8443 or 8080');
  expect(urlFault('http://gateway.internal:8080/sms', { hosts })).toBe('must begin with https://');
  expect(urlFault('http://gateway.internal:8080/sms', { hosts, http: true })).toBeUndefined();
  expect(urlFault('http://partner.example:8080/sms', { hosts, http: true })).toBe('must begin with https://');
  expect(
    urlFault('https://gateway.internal.example/sms', { hosts: [{ host: '10.0.0.1', ports: [443] }] }),
  ).toBeUndefined();
  expect(urlFault('https://10.0.0.2/', { hosts: [{ host: '10.0.0.1', ports: [443] }] })).toContain('public');
});

type Found = { address: string; family: number }[];
const ask =
  (...answers: Found[]) =>
  (_: string, __: { all: true }, done: (error: null, found: Found) => void) =>
    done(null, answers.shift() ?? []);

/** What a request to a name comes to, when DNS says this of it, one answer after the other. */
async function reached(allowed: { loopback: boolean }, port: number, ...answers: Found[]): Promise<string> {
  const lookup = guardedLookup(allowed, ask(...answers));
  const sent = request({ host: 'partner.example', port, lookup, agent: false, signal: AbortSignal.timeout(2_000) });
  sent.end();
  const [answer] = await Promise.race([once(sent, 'response'), once(sent, 'error').catch((error) => [error])]).catch(
    (error) => [error],
  );
  answer.resume?.();
  return answer.slug ?? answer.code ?? `answered ${answer.statusCode}`;
}

test('a name is reached at the very address that was checked, and DNS is asked once; not one address of it may be hidden', async () => {
  const server = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [loopback, outside, inside] = ['127.0.0.1', '93.184.216.34', '10.0.0.1'].map((address) => [
    { address, family: 4 },
  ]) as [Found, Found, Found];
  expect(await reached(LOCAL, port, loopback, outside)).toBe('answered 200');
  expect(await reached(PUBLIC, port, loopback)).toBe('forbidden-target');
  expect(await reached(LOCAL, port, [...loopback, ...inside])).toBe('forbidden-target');
  expect(await reached(LOCAL, port, [])).toBe('forbidden-target');
  // The first answer is public, the second would be this very server.
  const rebinding = await reached(PUBLIC, port, [{ address: '192.0.2.1', family: 4 }], loopback);
  expect(rebinding).toBe('forbidden-target');
  server.close();
});
