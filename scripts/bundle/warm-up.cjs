/** Preloaded once while an image is made: starts its function without servers and ends it by SIGTERM, which leaves a compile cache behind. */
const { generateKeyPairSync } = require('node:crypto');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const v8 = require('node:v8');

const START_MS = 500;
const LIMIT_MS = 30_000;
/** Gone at the end: no layer of an image is to hold a private key. */
const folder = mkdtempSync(path.join(os.tmpdir(), 'warm-up-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const key = path.join(folder, 'key.json');
writeFileSync(key, JSON.stringify({ keys: [generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })] }));

/** All functions of the bundle are compiled, since without servers few of them run; V8 takes no cache of another mode than its own. */
v8.setFlagsFromString('--no-lazy');

/** Nothing listens there. */
Object.assign(process.env, {
  HOST: '127.0.0.1',
  PORT: '0',
  GRPC_PORT: '0',
  NATS_URL: 'nats://127.0.0.1:1',
  DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:1/nowhere',
  USER_SERVICE_ADDRESS: '127.0.0.1:1',
  SMTP_URL: 'smtp://127.0.0.1:1',
  SHOP_URL: 'https://shop.example',
  SIGNING_KEY_FILE: key,
});
/** Before it listens for signals one would end it, and with it what it has compiled. */
const watch = setInterval(() => {
  if (process.listenerCount('SIGTERM') === 0) return;
  clearInterval(watch);
  v8.setFlagsFromString('--lazy');
  setTimeout(() => process.kill(process.pid, 'SIGTERM'), START_MS);
}, 10);
setTimeout(() => process.exit(1), LIMIT_MS).unref();
