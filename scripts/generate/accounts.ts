/** What functions take and send → infra/nats/accounts.conf. */
import { accountsConf } from '../registry/nats-users/accounts-conf.ts';
import { shopUsers } from '../registry/nats-users/shop-users.ts';
import type { Generated } from './generated.ts';

export const accountsFile = async (): Promise<Generated> => ({
  'infra/nats/accounts.conf': accountsConf(await shopUsers()),
});
