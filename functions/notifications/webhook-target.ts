/** Where a webhook may go. Pure. */
import { type Allowed, urlFault } from '../runtime/outbound.ts';
import { oneOf, setting } from '../runtime/settings.ts';

/** Local: loopback addresses, http and any port too. */
export type AllowedTarget = { readonly loopback: boolean };

export const targetSettings = {
  WEBHOOK_ALLOW_LOOPBACK: setting(
    '`true` lets webhooks go to this machine, for tests',
    oneOf('true', 'false'),
    'false',
  ),
};

export const PORTS: readonly number[] = [443, 8443];

export const allowedFor = ({ loopback }: AllowedTarget): Allowed => ({ loopback, ports: PORTS });

/** Why nothing can be sent to a URL, as far as it can be told without asking DNS; undefined when there is no reason. */
export const targetFault = (text: string, target: AllowedTarget): string | undefined =>
  urlFault(text, allowedFor(target));
