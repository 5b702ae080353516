/** The mirror that this Debian already uses → packages of a pinned newer suite unpacked in a work folder, signature checked, without root and with the system's apt untouched. */
import { execFile } from 'node:child_process';
import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const suite = 'forky';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Resolves to the folder with what is in the packages; what they depend on is not fetched. */
export async function fetchDebianPackages(
  work: string,
  env: NodeJS.ProcessEnv,
  names: readonly string[],
): Promise<string> {
  const system = { env: { ...env, LC_ALL: 'C' }, cwd: work, timeout: 180_000 };
  const arch = (await run('dpkg', ['--print-architecture'], system).catch(noApt)).stdout.trim();
  await access(keyring).catch(() => {
    throw new Error(`${keyring} is not there, so a Debian package cannot be verified`);
  });
  const mirror = await systemMirror(system);
  // APT_CONFIG is read first: no hook and no source of the system applies, but its proxy settings do.
  const acquire = (await run('apt-config', ['dump', 'Acquire'], system)).stdout;
  const own = { ...system, env: { ...system.env, APT_CONFIG: path.join(work, 'apt.conf') } };
  await writeFile(own.env.APT_CONFIG, `Dir::Etc::main "/dev/null";\nDir::Etc::parts "/dev/null";\n${acquire}`);
  await writeFile(path.join(work, 'sources.list'), `deb [arch=${arch} signed-by=${keyring}] ${mirror} ${suite} main\n`);
  await writeFile(path.join(work, 'status'), '');
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
    await mkdir(path.join(work, folder), { recursive: true });
  }
  const options = aptOptions(work, arch);
  await run('apt-get', ['-q', ...options, 'update'], own).catch(explain);
  await run('apt-get', ['-q', ...options, 'download', ...names], own).catch(explain);
  const files = (await readdir(work)).filter((name) => name.endsWith('.deb'));
  if (files.length < names.length) throw new Error(`apt-get downloaded not all of ${names.join(', ')} from ${suite}`);
  for (const file of files) await run('dpkg-deb', ['-x', file, 'package'], own).catch(explain);
  return path.join(work, 'package');
}

async function systemMirror(system: { env: NodeJS.ProcessEnv }): Promise<string> {
  const { stdout } = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)'], system).catch(noApt);
  const mirror = stdout.split('\n').find((line) => /\/debian\/?$/.test(line));
  if (mirror === undefined) throw new Error("this system's apt sources name no Debian mirror");
  return mirror;
}

function aptOptions(work: string, arch: string): string[] {
  const settings = {
    'Dir::Etc::SourceList': path.join(work, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State': path.join(work, 'state'),
    'Dir::State::status': path.join(work, 'status'),
    'Dir::Cache': path.join(work, 'cache'),
    'Dir::Log': work,
    'APT::Architecture': arch,
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '15',
    'Acquire::https::Timeout': '15',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

function noApt(error: unknown): never {
  throw new Error('no working apt-get and dpkg on this system', { cause: error });
}

/** apt's own words: the lines that begin with E: or W:. */
function explain(error: unknown): never {
  const output =
    typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : String(error);
  const lines = output.split('\n').filter((line) => /^(E|W|dpkg-deb):/.test(line));
  throw new Error(lines.length > 0 ? lines.join(' ') : output.trim().slice(-500), { cause: error });
}
