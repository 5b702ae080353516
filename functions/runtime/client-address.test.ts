import { expect, test } from 'vitest';
import { clientAddress } from './client-address.ts';

test.each([
  ['without proxies is that of the connection, whatever the header says', '203.0.113.9', '198.51.100.1', 0],
  ['behind a proxy is what the proxy noted', '198.51.100.1', '10.0.0.1', 1],
  ['behind a proxy is not what the client made up before that', '203.0.113.9, 198.51.100.1', '10.0.0.1', 1],
  ['behind two proxies is what the outer one noted', '203.0.113.9, 198.51.100.1,10.0.0.2', '10.0.0.1', 2],
  ['with fewer notes than proxies is the first that there is', '198.51.100.1', '10.0.0.1', 3],
  ['without the note of a proxy is that of the connection', undefined, '198.51.100.1', 1],
  ['that is no address is not taken', '<script>', '198.51.100.1', 1],
  ['of IPv4 in IPv6 is that of IPv4', undefined, '::ffff:198.51.100.1', 0],
  ['noted in several headers is the last one', ['203.0.113.9', '198.51.100.1'], '10.0.0.1', 1],
])('the address %s', (_, forwardedFor, connection, proxies) => {
  expect(clientAddress(forwardedFor, connection, proxies)).toBe('198.51.100.1');
});

test('an IPv6 address is kept as it is', () => {
  expect(clientAddress('2001:db8::1', '10.0.0.1', 1)).toBe('2001:db8::1');
});
