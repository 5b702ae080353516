import { expect, test } from 'vitest';
import { isAddress } from './smtp.ts';

const rcpt = (response: string) => ({ command: 'RCPT TO', responseCode: Number(response.slice(0, 3)), response });

test.each(['550 5.1.1 unknown', '553-5.1.2 no such host', '556 5.1.10 takes no mail', '552 5.2.1 switched off'])(
  '%s is about the address',
  (response) => expect(isAddress(rcpt(response))).toBe(true),
);

test.each([
  '550 5.7.1 relay denied',
  '550 5.1.8 Sender address rejected: Domain not found',
  '550 5.1.7 bad sender',
  '552 5.2.2 mailbox full',
  '550 relay not permitted',
  '554 listed',
  '450 4.2.1 busy',
  '421 try later',
  '550 5.3.4 too big',
])('%s says nothing of the address', (response) => expect(isAddress(rcpt(response))).toBe(false));

test('what is refused after DATA is the e-mail, and not its address', () => {
  expect(isAddress({ ...rcpt('550 5.1.1 unknown'), command: 'DATA' })).toBe(false);
});
