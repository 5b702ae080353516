/** The templates that a user can do without; all others have to do with a contract or the safety of an account. */
export const OPTIONAL = ['order-expiring-soon', 'order-delivered', 'welcome'] as const;
export type OptionalTemplate = (typeof OPTIONAL)[number];

export const isOptional = (template: string): template is OptionalTemplate =>
  OPTIONAL.some((each) => each === template);
