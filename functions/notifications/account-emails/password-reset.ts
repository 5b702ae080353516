/** Pure: user.password_reset_requested → the link to set a new password. */
import { button, note, paragraph } from '../content.ts';
import { words } from '../locale.ts';
import type { Template } from '../template.ts';
import type { Data } from './data.ts';

const WORDS = words({
  en: {
    subject: 'Set a new password',
    heading: 'Set a new password',
    said: 'Somebody, hopefully you, asked to set a new password for your account. Within 30 minutes, do so here:',
    set: 'Set a new password',
    other: 'If it was not you, you need not do anything: your password stays as it is. Give this link to nobody.',
  },
  de: {
    subject: 'Neues Passwort setzen',
    heading: 'Neues Passwort setzen',
    said: 'Jemand, hoffentlich Sie, möchte ein neues Passwort für Ihr Konto setzen. Innerhalb von 30 Minuten geht das hier:',
    set: 'Neues Passwort setzen',
    other:
      'Waren Sie es nicht, müssen Sie nichts tun: Ihr Passwort bleibt, wie es ist. Geben Sie diesen Link an niemanden weiter.',
  },
});

export const passwordReset: Template<Data<'user.password_reset_requested'>> = {
  name: 'password-reset',
  link: {
    page: () => '/reset-password',
    token: { purpose: 'reset-password', requestedAt: ({ requestedAt }) => requestedAt },
  },
  write(_, { locale, link }) {
    const { subject, heading, said, set, other } = WORDS[locale];
    const blocks = [paragraph(said), button(set, link), note(other)];
    return { subject, heading, blocks };
  },
};
