/** A script and its arguments, on Node 20 or newer without node_modules → the dependencies as locked, then the script on Node 24. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const modules = path.join(root, 'node_modules');
const stampFile = path.join(modules, '.millrace-install');
const lockFile = path.join(root, '.local', 'install.lock');
const parent = process.ppid;
const readJson = (file) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
const major = (version) => Number(/^v?(\d+)\./.exec(version)?.[1] ?? 0);

function fail(message) {
  console.error(message);
  process.exit(1);
}

function wantedStamp() {
  const { dependencies, devDependencies, optionalDependencies, overrides } = readJson('package.json');
  return createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .update(JSON.stringify([dependencies, devDependencies, optionalDependencies, overrides]))
    .update(`${process.platform}-${process.arch}`)
    .digest('hex');
}

function installed() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === wantedStamp();
}

/** True if someone's own `npm install` left what the lock file asks for, optional packages of this platform included. */
function installedByHand() {
  if (!existsSync(path.join(modules, '.package-lock.json'))) return false;
  const present = readJson('node_modules/.package-lock.json').packages;
  const manifest = readJson('package.json');
  const { '': locked, ...packages } = readJson('package-lock.json').packages;
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    const wanted = Object.entries(manifest[kind] ?? {});
    if (wanted.some(([name, range]) => locked[kind]?.[name] !== range)) return false;
  }
  return Object.entries(packages).every(([where, wanted]) => {
    if (where in present) return present[where].version === wanted.version && existsSync(path.join(root, where));
    const direct = where.slice('node_modules/'.length) in (manifest.optionalDependencies ?? {});
    const fits = wanted.os?.includes(process.platform) && wanted.cpu?.includes(process.arch);
    return wanted.optional === true && !(direct && fits);
  });
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Holds the lock while it runs, so that two commands started together install once. */
async function exclusively(action) {
  mkdirSync(path.dirname(lockFile), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = existsSync(lockFile) ? Number(readFileSync(lockFile, 'utf8')) : 0;
    if (holder > 0 && !isAlive(holder)) rmSync(lockFile, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const unlock = () => rmSync(lockFile, { force: true });
  process.once('exit', unlock);
  action();
  process.off('exit', unlock);
  unlock();
}

function install() {
  if (installed()) return;
  if (!installedByHand()) {
    console.error(
      'millrace: installing the dependencies with npm ci (first run, or the lock file changed; usually 15 to 60 s)',
    );
    const cli = process.env.npm_execpath ?? '';
    const [command, ...first] = path.basename(cli) === 'npm-cli.js' ? [process.execPath, cli] : ['npm'];
    const options = ['ci', '--include=optional', '--include=dev', '--loglevel=error'];
    const result = spawnSync(command, [...first, ...options], { cwd: root, stdio: ['ignore', 2, 2] });
    if (result.status !== 0) {
      const how = result.error?.message ?? (result.signal ? `signal ${result.signal}` : `exit code ${result.status}`);
      fail(
        `millrace: npm ci failed (${how}); its own message is above.\n` +
          '  Registry not reachable: check the network, the proxy, and `npm config get registry`, then run the same command again.\n' +
          '  Lock file out of step with package.json: run `npm install` and commit package-lock.json.\n' +
          `  Otherwise remove ${modules} and run the same command again.`,
      );
    }
  }
  writeFileSync(stampFile, `${wantedStamp()}\n`);
}

function findNode24() {
  const locked = ['.bin/node', `node-${process.platform}-${process.arch}/bin/node`];
  for (const candidate of [...locked, `node-bin-${process.platform}-${process.arch}/bin/node`]) {
    const file = path.join(modules, candidate);
    const answer = spawnSync(file, ['--version'], { encoding: 'utf8' });
    if (answer.status === 0 && major(answer.stdout) >= 24) return file;
  }
  if (major(process.version) >= 24) return process.execPath;
  return fail(
    `millrace: Node 24 or newer is needed; this is ${process.version}, and no Node 24 package could be installed for ` +
      `${process.platform}-${process.arch}. Install Node 24 and run the same command with it.`,
  );
}

/** npm passes a signal to its shell alone, which ends without passing it on. */
function whenParentEnds(action) {
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    action();
  }, 250);
  watch.unref();
}

/** The terminal's Ctrl-C reaches the child by itself; a signal for this process alone is passed on, as SIGTERM. */
function run(node, args) {
  const PATH = `${path.join(modules, '.bin')}${path.delimiter}${process.env.PATH ?? ''}`;
  const child = spawn(node, args, { stdio: 'inherit', env: { ...process.env, PATH } });
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const forward = () => child.kill('SIGTERM');
  process.on('SIGINT', onTerminal ? () => undefined : forward);
  process.on('SIGTERM', forward);
  process.on('SIGHUP', forward);
  if (process.env.npm_lifecycle_event !== undefined) whenParentEnds(forward);
  child.on('error', (error) => fail(`millrace: ${node} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + os.constants.signals[signal]), 100);
  });
}

if (major(process.version) < 20) fail(`millrace: Node 20 or newer is needed to start, this is ${process.version}.`);
if (process.argv.length < 3) fail('usage: node scripts/bootstrap.mjs <script> [arguments]');
if (!installed()) await exclusively(install);
run(findNode24(), process.argv.slice(2));
