import { expect, test } from 'vitest';
import { refuseForeignHost, refuseForeignOrigin, refuseForeignSite } from './origin.ts';

test.each(['127.0.0.1:8080', 'localhost', '[::1]:9000'])('the host %s is this machine', (host) => {
  expect(() => refuseForeignHost({ host })).not.toThrow();
});

test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:8080', '', '10.0.0.1:8080'])(
  'the host %j is refused, for a foreign name may lead here',
  (host) => {
    expect(() => refuseForeignHost({ host })).toThrow('127.0.0.1 and localhost alone');
  },
);

test('a page of another site, or of another port, is refused', () => {
  for (const site of ['cross-site', 'same-site'])
    expect(() => refuseForeignSite({ 'sec-fetch-site': site })).toThrow('Another site');
  for (const headers of [{}, { 'sec-fetch-site': 'none' }, { 'sec-fetch-site': 'same-origin' }])
    expect(() => refuseForeignSite(headers)).not.toThrow();
});

test('what changes something needs the origin of the console itself', () => {
  const host = '127.0.0.1:8080';
  expect(() => refuseForeignOrigin({ host, origin: 'http://127.0.0.1:8080' })).not.toThrow();
  for (const origin of [undefined, 'null', 'http://127.0.0.1:8081', 'http://evil.example'])
    expect(() => refuseForeignOrigin({ host, ...(origin ? { origin } : {}) })).toThrow('header Origin');
});
