/** Pure: user.password_changed → the notice of it, for the case that it was somebody else. */
import { paragraph } from '../content.ts';
import { moment, words } from '../locale.ts';
import type { Template } from '../template.ts';
import type { Data } from './data.ts';

const WORDS = words({
  en: {
    subject: 'Your password was changed',
    heading: 'Your password was changed',
    said: (time: string) => `That was on ${time}. Your other devices are signed out.`,
    other: 'If it was not you, set a new password at once: choose "forgotten password" where you sign in.',
  },
  de: {
    subject: 'Ihr Passwort wurde geändert',
    heading: 'Ihr Passwort wurde geändert',
    said: (time) => `Das war am ${time}. Ihre anderen Geräte sind abgemeldet.`,
    other:
      'Wenn Sie das nicht waren, setzen Sie bitte sofort ein neues: Wählen Sie bei der Anmeldung „Passwort vergessen“.',
  },
});

export const passwordChanged: Template<Data<'user.password_changed'>> = {
  name: 'password-changed',
  write({ changedAt }, { locale }) {
    const { subject, heading, said, other } = WORDS[locale];
    return { subject, heading, blocks: [paragraph(said(moment(changedAt, locale))), paragraph(other)] };
  },
};
