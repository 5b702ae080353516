/** A promise of the shop that a run has seen broken. */

export type Violation = {
  readonly kind:
    | 'answer-differs'
    | 'broken-chain'
    | 'dead-letter'
    | 'doubled'
    | 'event-differs'
    | 'event-unknown'
    | 'event-unpublished'
    | 'expiry-missing'
    | 'lost'
    | 'mail-doubled'
    | 'mail-missing'
    | 'money'
    | 'not-quiet'
    | 'poison-unnoticed'
    | 'refund-missing'
    | 'sales-view'
    | 'stock'
    | 'unanswered'
    | 'unexpected-answer'
    | 'user-event'
    | 'user-lost'
    | 'view';
  /** What, and which. */
  readonly detail: string;
  /** Idempotency-Key of the request that it is about. */
  readonly key?: string;
};

export const violation = (kind: Violation['kind'], detail: string, key?: string): Violation =>
  key === undefined ? { kind, detail } : { kind, detail, key };

/** As JSON would carry it. */
export const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
