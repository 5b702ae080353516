import { describe, expect, test } from 'vitest';
import { clientAddress, readProxies } from './client-address.ts';

const private4 = '10.0.0.0/8, 127.0.0.1';

describe('the address of the client', () => {
  test.each<[string, string | string[] | undefined, string, string]>([
    ['without proxies is that of the connection, whatever the header says', '203.0.113.9', '198.51.100.1', ''],
    ['that comes past the proxies is that of the connection', '203.0.113.9', '198.51.100.1', private4],
    ['behind a proxy is what the proxy noted', '198.51.100.1', '10.0.0.1', private4],
    ['behind a proxy is not what the client made up before that', '203.0.113.9, 198.51.100.1', '10.0.0.1', private4],
    ['made up as that of a proxy does not help', '10.0.0.7, 198.51.100.1', '10.0.0.1', private4],
    ['behind two proxies is what the outer one noted', '203.0.113.9,198.51.100.1,10.0.0.2', '10.0.0.1', private4],
    ['is the same with another proxy in the path', '198.51.100.1, 10.0.0.2, 10.9.9.9', '127.0.0.1', private4],
    ['without the note of a proxy is that of the connection', undefined, '198.51.100.1', '198.51.100.1'],
    ['that is no address is not taken', '203.0.113.9, <script>', '198.51.100.1', '198.51.100.1'],
    ['of IPv4 in IPv6 is that of IPv4', undefined, '::ffff:198.51.100.1', ''],
    ['behind a proxy of IPv4 in IPv6 is what that noted', '::ffff:198.51.100.1', '::ffff:10.0.0.1', private4],
    ['behind a proxy of IPv4 in IPv6 in hexadecimal is what that noted', '198.51.100.1', '::ffff:a00:1', private4],
    ['behind a proxy named as IPv4 in IPv6 is what that noted', '198.51.100.1', '10.0.0.1', '::ffff:10.0.0.1'],
    ['noted in several headers is the last one', ['203.0.113.9', '198.51.100.1'], '10.0.0.1', private4],
  ])('%s', (_, forwardedFor, connection, proxies) => {
    expect(clientAddress(forwardedFor, connection, readProxies(proxies))).toBe('198.51.100.1');
  });

  test('of IPv6 is kept as it is', () => {
    const proxies = readProxies('fd00::/8');
    expect(clientAddress('2001:db8::2, 2001:db8::1', 'fd12::3', proxies)).toBe('2001:db8::1');
    expect(clientAddress('2001:db8::1', 'fe80::3', proxies)).toBe('fe80::3');
  });

  test('when all are proxies is the first that was noted', () => {
    expect(clientAddress('10.0.0.3, 10.0.0.2', '10.0.0.1', readProxies(private4))).toBe('10.0.0.3');
  });

  test('of a connection that is closed is none', () => {
    expect(clientAddress('203.0.113.9', undefined, readProxies('0.0.0.0/0, ::/0'))).toBe('');
  });
});

test.each([
  '1',
  '10.0.0.0/33',
  '10.0.0/8',
  'fd00::/129',
  '10.0.0.0/',
  'ingress.example',
  'fe80::1%eth0',
  '10.0.0.1:80',
])('of the proxies «%s» is refused by name', (entry) => {
  expect(() => readProxies(`127.0.0.1, ${entry}`)).toThrow(`has '${entry}'`);
});
