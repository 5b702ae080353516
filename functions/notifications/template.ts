/** What a template is: its name, where its link leads, when it says nothing true any more, and what it says. */
import type { Content } from './content.ts';
import type { Locale } from './locale.ts';

/** What is known of an order after the newest of its events that was seen. */
export type OrderState = {
  readonly status: string;
  readonly paymentStatus: string;
  readonly fulfilmentStatus: string;
};

/** Lets its reader do one thing with the account, for a while; `requestedAt` is RFC 3339, when the user did what it is for. */
type LinkToken<Data> = {
  readonly purpose: 'verify-email' | 'reset-password';
  requestedAt(data: Data): string;
};

/** A link to a page of the shop; a token's secret is in its fragment, which is sent to no server. */
export type Link<Data> = { page(data: Data): string; readonly token?: LinkToken<Data> };

/** `link` is '' for a template that has none; `now` is the order as it stands, where that is known. */
export type Writing = { readonly locale: Locale; readonly link: string; readonly now?: OrderState | undefined };

export type Template<Data> = {
  readonly name: string;
  readonly link?: Link<Data>;
  /** Whether what has happened since leaves nothing of what it says; only for events of orders. */
  stale?(now: OrderState): boolean;
  /** Pure. */
  write(data: Data, writing: Writing): Content;
};
