import { expect, test } from 'vitest';
import { COMMON_PASSWORDS } from './common-passwords.ts';
import { isGuessable } from './guessable.ts';

const email = 'Ada.Lovelace@Example.com';

test.each([
  ['a well-known one', 'correcthorsebatterystaple'],
  ['a well-known word and digits', 'password123'],
  ['a word in which digits stand for letters', 'P@ssw0rd!!'],
  ['a word between signs', '!!sunshine2024!!'],
  ['the name of the shop', 'Millrace2026'],
  ['a word twice', 'passwordpassword'],
  ['a word twice and a digit', 'passwordpassword1'],
  ['the name of a program and digits', 'adobe123456'],
  ['the name of another one', 'photoshop1'],
  ['keys beside each other between digits', '12qwaszx12'],
  ['a word with its first letter mistyped', 'gwerty123456'],
  ['digits and a row of keys in turn, mistyped', '1g2w3e4r5t'],
  ['columns of the keyboard, the first key shifted', '!qaz2wsx3edc'],
  ['one known from leaks', '3rjs1la7qe'],
  ['a day and two keys', '20100728qw'],
  ['one character', 'zzzzzzzzzz'],
  ['four characters again and again', 'ab1!ab1!ab1!a'],
  ['digits in their order', '0123456789'],
  ['digits backwards', '9876543210'],
  ['the alphabet', 'CDEFGHIJKL'],
  ['a row of the keyboard', 'qwertyuiop'],
  ['a row of the keyboard backwards', 'poiuytrewq'],
  ['columns of the keyboard', '1qaz2wsx3edc'],
  ['the whole e-mail', 'ada.lovelace@example.com'],
  ['the name in the e-mail and digits', 'ada.lovelace1815'],
  ['wide letters of the same word', 'ｐａｓｓｗｏｒｄ１２３'],
])('%s can be guessed', (_, password) => {
  expect(isGuessable(password, email)).toBe(true);
});

test.each([
  'correct horse battery',
  'correct horse battery staple',
  'a long enough password',
  'x7Kq9vLw2p',
  'lovelace and babbage',
  'sunshine on the mill',
  'пароль на каждый день',
])('«%s» cannot', (password) => {
  expect(isGuessable(password, email)).toBe(false);
});

test('an e-mail with a short name forbids no more than itself', () => {
  expect(isGuessable('a7Kq9vLw2p', 'a@example.com')).toBe(false);
});

test('every listed password can be typed as a new one, and is listed once for the rules', () => {
  for (const password of COMMON_PASSWORDS) expect(password).toMatch(/^[!-~]{10,}$/);
  expect(COMMON_PASSWORDS.size).toBeGreaterThan(500);
});
