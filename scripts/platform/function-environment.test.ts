import { expect, test } from 'vitest';
import { setting, text } from '../../functions/runtime/settings.ts';
import { environmentOf } from './function-environment.ts';

const around = {
  endpoints: { http: 'http://h', grpc: 'g:1', nats: 'nats://n', natsMonitor: 'http://m', postgres: 'postgres://p' },
  ports: { http: 1, grpc: 2, nats: 3, natsMonitor: 4, postgres: 5 },
  databaseUrls: { 'send-parcel': 'postgres://send-parcel' },
  seedFiles: { 'send-parcel': '/seeds/send-parcel', carriers: '/seeds/carriers' },
  compileCache: '/cache',
  otlpUrl: 'http://otlp',
  settings: { CARRIER_KEY: 'secret', PARCEL_SIZE: 'large' },
};
const declared = (...names: string[]) => Object.fromEntries(names.map((name) => [name, setting(name, text)]));

test('a function gets the settings that it declares, of the application and of the platform, and no others', () => {
  const sender = {
    name: 'send-parcel',
    settings: declared('NATS_URL', 'NATS_SEED_FILE', 'DATABASE_URL', 'PARCEL_SIZE'),
  };
  const carriers = { name: 'carriers', settings: declared('GRPC_PORT', 'CARRIER_KEY') };
  const common = {
    HOST: '127.0.0.1',
    PORT: '0',
    NODE_ENV: 'production',
    NODE_COMPILE_CACHE: '/cache',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otlp',
    TZ: 'UTC',
  };
  expect(environmentOf(sender, around)).toEqual({
    ...common,
    NATS_URL: 'nats://n',
    NATS_SEED_FILE: '/seeds/send-parcel',
    DATABASE_URL: 'postgres://send-parcel',
    PARCEL_SIZE: 'large',
  });
  expect(environmentOf(carriers, around)).toEqual({ ...common, GRPC_PORT: '2', CARRIER_KEY: 'secret' });
});
