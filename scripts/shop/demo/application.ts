/** This shop, as the platform runs it on one machine. */
import { readSettings } from '../../../functions/runtime/process/settings.ts';
import { openUserClient, userServiceSettings } from '../../../functions/users/client.ts';
import type { Application } from '../../platform/application.ts';
import { signingKeyFile } from '../signing-key/file.ts';
import { type Demo, seedAccounts, seedProducts } from './seed.ts';

export const application: Application<Demo> = {
  async settings({ endpoints, mailbox, secrets }) {
    return {
      SHOP_URL: endpoints.http,
      SIGNING_KEY_FILE: await signingKeyFile(secrets),
      SMTP_URL: mailbox,
      USER_SERVICE_ADDRESS: endpoints.grpc,
      // Nobody else can reach this machine, and partners are tried out on it.
      WEBHOOK_ALLOW_LOOPBACK: 'true',
    };
  },

  async seed({ endpoints, database, demo, log, onClose }) {
    const settings = readSettings(userServiceSettings, { USER_SERVICE_ADDRESS: endpoints.grpc });
    await seedProducts(database);
    return seedAccounts(demo, database, openUserClient({ name: 'seed', settings, log, onClose }));
  },
};
