/** Addresses and accounts of a started shop → what is shown to whoever started it, ready to paste. Pure. */
import type { Endpoints, Ports } from '../../platform/platform.ts';
import type { Demo } from './seed.ts';

const NAMES: Readonly<Record<keyof Ports, string>> = {
  http: 'shop (HTTP)',
  grpc: 'user-service (gRPC)',
  nats: 'NATS',
  natsMonitor: 'NATS monitoring',
  postgres: 'Postgres',
};
const ORDER: readonly (keyof Ports)[] = ['http', 'grpc', 'nats', 'natsMonitor', 'postgres'];

export type Welcome = {
  readonly endpoints: Endpoints;
  readonly wanted: Ports;
  readonly ports: Ports;
  readonly demo: Demo;
  readonly logs: string;
  readonly natsKey: string;
};

function addressTable({ endpoints, wanted, ports, natsKey }: Welcome): string {
  const lines = ORDER.map((name) => {
    const replaced = wanted[name] !== 0 && wanted[name] !== ports[name] ? `  (port ${wanted[name]} was taken)` : '';
    return `  ${NAMES[name].padEnd(20)} ${endpoints[name]}${replaced}`;
  });
  const local = [
    `  ${'key for NATS'.padEnd(20)} ${natsKey}`,
    `  ${'console'.padEnd(20)} ${endpoints.http}/console`,
    `  ${'API'.padEnd(20)} ${endpoints.http}/docs`,
    `  ${'mailbox'.padEnd(20)} ${endpoints.http}/_local/mail`,
    `  ${'functions'.padEnd(20)} ${endpoints.http}/_local/functions`,
  ];
  return [...lines, ...local].join('\n');
}

/** Sign up, sign in, order. The token is taken out with sed, so that only curl is needed. */
function curlCalls(http: string): readonly string[] {
  const json = "-H 'content-type: application/json'";
  const account = '{"email":"ada@example.com","password":"correct horse battery staple"}';
  return [
    `curl -sS ${http}/v1/users ${json} -d '${account}'`,
    `TOKEN=$(curl -sS ${http}/v1/sessions ${json} -d '${account}' | sed -n 's/.*"accessToken":"\\([^"]*\\)".*/\\1/p')`,
    `curl -sS -i ${http}/v1/orders -H "authorization: Bearer $TOKEN" -H 'idempotency-key: my-first-order' ${json} ` +
      `-d '{"lines":[{"sku":"mug","quantity":2},{"sku":"tea","quantity":1}],"shippingCountry":"NL"}'`,
  ];
}

export function welcome(shop: Welcome): string {
  const { customer, staff } = shop.demo;
  return [
    '',
    addressTable(shop),
    '',
    `  customer  ${customer.email}  ${customer.password}`,
    `  staff     ${staff.email}  ${staff.password}`,
    '',
    'Sign up, sign in and order:',
    '',
    ...curlCalls(shop.endpoints.http),
    '',
    'Why did it take so long? npx millrace why <subject>, such as an order id',
    '',
    `Logs are in ${shop.logs}. Ctrl-C stops everything; the data stays.`,
    '',
  ].join('\n');
}
