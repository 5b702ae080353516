import { expect, test } from 'vitest';
import { millrace } from '../support/millrace.ts';

test('npx millrace --help names every command', () => {
  expect(millrace('--help')).toMatchObject({ status: 0, said: expect.stringContaining('rebuild <projector>') });
});

test.each([
  [[], 'which command?'],
  [['toString'], "there is no command 'toString'"],
  [['rebuild'], 'the projector to rebuild is missing'],
  [['rebuild', 'order-vew'], "there is no projector 'order-vew'; there are"],
  [['rebuild', 'create-order'], 'create-order is no projector; there are'],
  [['rebuild', 'order-view', 'sales-view'], 'one projector at a time, not also sales-view'],
  [['rebuild', 'order-view', '--fast'], "Unknown option '--fast'"],
  [['rebuild', 'order-view', '--database'], "Option '--database <value>' argument missing"],
  [['rebuild', 'order-view', '--database', 'shop'], 'the database must be a URL such as postgres://'],
  [['nkeys'], '--out needs the folder'],
  [['nkeys', '--out'], '--out needs the folder'],
  [['nkeys', '--to', 'keys'], 'there is no option --to'],
  [['nkeys', '--out', '/nowhere', '--force'], 'there is no option --force'],
  [['rotate-signing-key'], '--file needs the path'],
  [['rotate-signing-key', '--file'], '--file needs the path'],
  [['rotate-signing-key', '--file', '/nowhere/key.json'], 'there is no file /nowhere/key.json'],
  [['rotate-signing-key', '--file', 'package.json', '--fast'], 'there is no option --fast'],
  [['rebuild', 'order-view'], 'endpoints.json is not there: start the shop (npm start), or set --database'],
  [['push'], 'push needs a file with a CloudEvent in JSON, or an array of them'],
  [['push', '/nowhere/event.json'], 'there is no file /nowhere/event.json'],
  [['push', 'package.json', 'knip.json'], 'push takes one file at a time, not also knip.json'],
  [['push', '-', '--token-file', '-'], '--token-file and the events cannot both be standard input'],
  [['push', '-', '--token-file', '/nowhere/token'], '--token-file: there is no file /nowhere/token'],
  [['push', 'package.json', '--url', 'shop.example', '--token-file', '-'], '--url must be a URL such as https://'],
  [['push', 'package.json', '--url', 'https://shop.example'], '--url needs --token-file'],
  [['push', 'package.json', '--url', 'https://me:secret@shop.example', '--token-file', '-'], '--url is only where the'],
  [
    ['push', 'package.json', '--url', 'https://shop.example?a=b', '--token-file', '-'],
    '--url is only where the shop is',
  ],
  [['push', 'package.json', '--token', 'secret'], "Unknown option '--token'"],
  [['push', 'package.json'], 'start the shop (npm start), or set --url and --token-file'],
  [['dead-letters'], 'dead-letters takes list, show, redrive, discard, sweep, audit'],
  [['dead-letters', 'burn'], "not 'burn'"],
  [['dead-letters', 'redrive'], 'which ones to redrive? Give ids, --function, --error, --older-than or --all'],
  [['dead-letters', 'discard', '--dry-run'], 'which ones to discard?'],
  [['dead-letters', 'redrive', 'seven'], "an id must be a whole number from 1 to 9007199254740991, not 'seven'"],
  [['dead-letters', 'list', '--older-than', 'long'], '--older-than must be a duration such as 30m or 2h'],
  [['dead-letters', 'list', '--limit', '0'], "--limit must be a whole number from 1 to 1000000, not '0'"],
  [['dead-letters', 'list', '--limit', 'all'], "--limit must be a whole number from 1 to 1000000, not 'all'"],
  [['dead-letters', 'list', '--limit'], "Option '--limit <value>' argument missing"],
  [['dead-letters', 'redrive', '--all', '--rate', '0.5'], "--rate must be a whole number from 1 to 10000, not '0.5'"],
  [['dead-letters', 'redrive', '--all', '--rate', '10001'], '--rate must be a whole number from 1 to 10000'],
  [['dead-letters', 'redrive', '--all', '--rate', ''], "--rate must be a whole number from 1 to 10000, not ''"],
  [['dead-letters', 'list', '--colour'], "Unknown option '--colour'"],
  [['dead-letters', 'sweep', '1'], 'sweep takes no ids, and neither --function nor --error nor --limit'],
  [['dead-letters', 'sweep', '--function', 'order-view'], 'sweep takes no ids'],
  [['dead-letters', 'audit', '--limit', '5'], 'audit takes no ids'],
  [['dead-letters', 'show'], 'show takes one id'],
  [['dead-letters', 'list', '--nats', 'http://x'], 'must be a URL such as nats://host:4222'],
  [['dead-letters', 'list'], 'or set --nats or NATS_URL'],
  [['scale'], "scale takes lint, simulate, record, explain, not ''"],
  [['why'], 'why needs an id: of an aggregate (its subject), a command or an event, or the key of a notification'],
  [['why', '1', '2'], 'why takes one id at a time, not also 2'],
  [['why', 'ada@example.com'], 'an address of somebody is none'],
  [['why', '1', '--jaeger', 'jaeger:16686'], '--jaeger must be a URL such as http://127.0.0.1:16686'],
  [['why', '1', '--colour'], "Unknown option '--colour'"],
  [['why', '1'], 'start the shop (npm start), or set --jaeger'],
  [['gate'], 'the function to be deployed is missing'],
  [['gate', 'greate-order'], "there is no function 'greate-order'"],
  [['gate', 'create-order', 'order-view'], 'one function at a time, not also order-view'],
  [['gate', 'create-order', '--fast'], "Unknown option '--fast'"],
  [['gate', 'create-order'], 'or set --nats or NATS_URL'],
])('millrace %j says what is wrong and how it is used', (args, says) => {
  const { status, said } = millrace(...args);
  expect(said).toContain(says);
  expect(said).toContain('usage: npx millrace');
  expect(status).toBe(2);
});
