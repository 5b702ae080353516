/** Why a notification was not sent. */

/** What was known before it was tried. */
export const SUPPRESSIONS = ['muted', 'stale', 'bounced', 'link-not-needed'] as const;
export type Suppression = (typeof SUPPRESSIONS)[number];

/** Of one that failed `given-up`, a dead letter says more. */
export const REASONS = [...SUPPRESSIONS, 'address-refused', 'given-up'] as const;
export type Reason = (typeof REASONS)[number];
