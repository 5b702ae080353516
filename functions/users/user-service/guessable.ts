/** A password and its owner's e-mail → whether it is among the first that anybody would try. Pure. */
import { COMMON_PASSWORDS, COMMON_WORDS } from './common-passwords.ts';

/** What fingers walk along, forwards or backwards: the alphabet, and keyboards by row and by column. */
const WALKS = [
  '012345678901234567890',
  'abcdefghijklmnopqrstuvwxyz',
  "`1234567890-=qwertyuiop[]asdfghjkl;'zxcvbnm,./",
  'qwertzuiopüasdfghjklöäyxcvbnm,.-',
  'azertyuiopqsdfghjklmwxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/',
  'qazwsxedcrfvtgbyhnujmikolp',
  '!@#$%^&*()_+',
].flatMap((walk) => [walk, [...walk].reverse().join('')]);

/** Signs and digits that are written for letters. */
const STANDS_FOR: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '!': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
};
const plain = (text: string): string => [...text].map((char) => STANDS_FOR[char] ?? char).join('');

/** Without the digits and signs around it. */
const core = (text: string): string => text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');

/** The shortest text whose repetition is `text`, which may end in the middle of it. */
function unitOf(text: string): string {
  for (let length = 1; length <= text.length / 2; length += 1)
    if (text.startsWith(text.slice(length))) return text.slice(0, length);
  return text;
}

function isKnown(text: string, own: readonly string[]): boolean {
  if (COMMON_PASSWORDS.has(text) || WALKS.some((walk) => walk.includes(text))) return true;
  const around = [core(text), plain(core(text)), core(plain(text))];
  return around.flatMap((word) => [word, unitOf(word)]).some((word) => COMMON_WORDS.has(word) || own.includes(word));
}

/**
 * True for well-known passwords, a well-known word, or the owner's e-mail or its local part, once or repeated, with nothing
 * but digits and signs around it, walks along the keyboard or the alphabet, and repetitions of any of these or of up to four characters.
 * Compared without regard to case and to how the characters are composed.
 */
export function isGuessable(password: string, email: string): boolean {
  const text = password.normalize('NFKC').toLowerCase();
  const address = email.normalize('NFKC').toLowerCase();
  const [local = ''] = address.split('@');
  const own = [address, local, core(local)].filter((word) => word.length >= 3);
  const unit = unitOf(text);
  return unit.length <= 4 || isKnown(text, own) || isKnown(unit, own);
}
