/** Pure: user.created → the link that confirms the address. */
import { button, note, paragraph } from '../content.ts';
import { words } from '../locale.ts';
import type { Template } from '../template.ts';
import type { Data } from './data.ts';

const WORDS = words({
  en: {
    subject: 'Confirm your e-mail address',
    heading: 'One tap, and your account is ready',
    said: 'Please confirm within 24 hours that this address is yours:',
    confirm: 'Confirm the address',
    other: 'If you did not sign up, you need not do anything.',
  },
  de: {
    subject: 'Bestätigen Sie Ihre E-Mail-Adresse',
    heading: 'Ein Klick, und Ihr Konto ist bereit',
    said: 'Bitte bestätigen Sie innerhalb von 24 Stunden, dass diese Adresse Ihre ist:',
    confirm: 'Adresse bestätigen',
    other: 'Falls Sie sich nicht bei uns registriert haben, müssen Sie nichts tun.',
  },
});

export const verify: Template<Data<'user.created'>> = {
  name: 'verify',
  link: { page: () => '/verify-email', token: { purpose: 'verify-email', requestedAt: ({ createdAt }) => createdAt } },
  write(_, { locale, link }) {
    const { subject, heading, said, confirm, other } = WORDS[locale];
    const blocks = [paragraph(said), button(confirm, link), note(other)];
    return { subject, heading, blocks };
  },
};
