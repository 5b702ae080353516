/**
 * Run once while an image is made: starts its function with stand-ins for its servers, which give it one message, and ends
 * it by SIGTERM. It leaves a compile cache behind, of what a function with something to do runs.
 */
const { spawn } = require('node:child_process');
const { generateKeyPairSync } = require('node:crypto');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { request } = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { openServers } = require('./servers.cjs');

/** What a message leads to has happened by then, and the metrics have not been pushed for the second time. */
const WORK_MS = 1_500;
const LIMIT_MS = 30_000;
const LISTENING = /"port":(\d+),"msg":"listening"/;

/** Gone at the end: no layer of an image is to hold a private key. */
const folder = mkdtempSync(path.join(os.tmpdir(), 'warm-up-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const key = path.join(folder, 'key.json');
writeFileSync(key, JSON.stringify({ keys: [generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })] }));

/** Asked as a kubelet and a caller ask. */
function ask(port, asked) {
  const sent = request({ host: '127.0.0.1', port, path: asked }, (response) => response.resume());
  sent.once('error', () => undefined).end();
}

async function main(bundle) {
  const { nats, postgres, smtp, grpc, otlp } = await openServers();
  const child = spawn(process.execPath, [bundle], {
    env: {
      ...process.env,
      HOST: '0.0.0.0',
      PORT: '0',
      GRPC_PORT: '0',
      NATS_URL: `nats://127.0.0.1:${nats}`,
      DATABASE_URL: `postgres://nobody:nothing@127.0.0.1:${postgres}/nowhere`,
      USER_SERVICE_ADDRESS: `127.0.0.1:${grpc}`,
      SMTP_URL: `smtp://127.0.0.1:${smtp}`,
      SHOP_URL: 'https://shop.example',
      SIGNING_KEY_FILE: key,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${otlp}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  let port;
  child.stdout.on('data', (chunk) => {
    process.stdout.write(chunk);
    said += chunk;
    if (port) return;
    [, port] = LISTENING.exec(said) ?? [];
    if (!port) return;
    for (const asked of ['/livez', '/readyz', '/']) ask(port, asked);
    setTimeout(() => ask(port, '/readyz'), WORK_MS / 2);
    setTimeout(() => child.kill('SIGTERM'), WORK_MS);
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  child.once('exit', (code) => {
    clearTimeout(limit);
    process.exit(code ?? 1);
  });
}

void main(process.argv[2]);
