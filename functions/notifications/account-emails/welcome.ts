/** Pure: user.email_verified → the welcome. */
import { paragraph } from '../content.ts';
import { words } from '../locale.ts';
import type { Template } from '../template.ts';
import type { Data } from './data.ts';

const WORDS = words({
  en: {
    subject: 'Welcome',
    heading: 'Welcome',
    said: 'Your address is confirmed. Sign in with it and your password: your orders, and what becomes of them, are kept there.',
  },
  de: {
    subject: 'Willkommen',
    heading: 'Willkommen',
    said: 'Ihre Adresse ist bestätigt. Melden Sie sich mit ihr und Ihrem Passwort an: Dann sehen Sie Ihre Bestellungen und was aus ihnen wird.',
  },
});

export const welcome: Template<Data<'user.email_verified'>> = {
  name: 'welcome',
  write(_, { locale }) {
    const { subject, heading, said } = WORDS[locale];
    return { subject, heading, blocks: [paragraph(said)] };
  },
};
