/** Why an e-mail was not sent, as was known before it was tried. */
export type Suppression = 'muted' | 'stale' | 'bounced' | 'link-not-needed';
