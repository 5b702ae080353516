/** The pinned nats-server release → its program in a work folder, only if the tarball has the pinned sha256. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const version = '2.14.5';
const releases = 'https://github.com/nats-io/nats-server/releases/download';
const connectTimeoutMs = 5_000;
const stallTimeoutMs = 15_000;

/** The sums are those of the official Docker images' Dockerfile. */
const pinned: Readonly<Record<string, { arch: string; sha256: string }>> = {
  'linux-x64': { arch: 'amd64', sha256: '5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355' },
  'linux-arm64': { arch: 'arm64', sha256: '673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c' },
};

export type ReleaseSource = { baseUrl?: string; sha256?: string };

export async function fetchRelease(work: string, env: NodeJS.ProcessEnv, source: ReleaseSource = {}): Promise<string> {
  const build = pinned[`${process.platform}-${process.arch}`];
  if (build === undefined) throw new Error(`no pinned release for ${process.platform}-${process.arch}`);
  const url = `${source.baseUrl ?? releases}/v${version}/nats-server-v${version}-linux-${build.arch}.tar.gz`;
  const tarball = await download(url);
  const expected = source.sha256 ?? build.sha256;
  const actual = createHash('sha256').update(tarball).digest('hex');
  if (actual !== expected) throw new Error(`${url} has sha256 ${actual}, expected ${expected}: refused`);
  const file = path.join(work, 'nats-server.tar.gz');
  await writeFile(file, tarball);
  await run('tar', ['-xzf', file, '-C', work, '--strip-components=1'], { env });
  return path.join(work, 'nats-server');
}

async function download(url: string): Promise<Buffer> {
  const abort = new AbortController();
  const giveUpAfter = (ms: number, what: string) => setTimeout(() => abort.abort(new Error(what)), ms);
  let timer = giveUpAfter(connectTimeoutMs, `no answer within ${connectTimeoutMs / 1000} s`);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = giveUpAfter(stallTimeoutMs, `no data for ${stallTimeoutMs / 1000} s`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    throw new Error(`${url}: ${reasonOf(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
