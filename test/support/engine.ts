/** Where the servers of a test run are: in containers where a Docker engine answers, else programs of this machine. */
import { request } from 'node:http';
import path from 'node:path';

export type Where = 'containers' | 'local';
type Environment = Readonly<Record<string, string | undefined>>;

/** One that hangs is none. */
const ANSWER_MS = 1_000;

/** What Docker's own client would ask: DOCKER_HOST, else the socket of root's engine or of this user's. */
function engines({ DOCKER_HOST, XDG_RUNTIME_DIR }: Environment): string[] {
  if (DOCKER_HOST) return [DOCKER_HOST];
  const own = XDG_RUNTIME_DIR ? [`unix://${path.join(XDG_RUNTIME_DIR, 'docker.sock')}`] : [];
  return ['unix:///var/run/docker.sock', ...own];
}

function answers(engine: string): Promise<boolean> {
  if (!URL.canParse(engine)) return Promise.resolve(false);
  const { protocol, pathname, hostname, port } = new URL(engine);
  const place = protocol === 'unix:' ? { socketPath: pathname } : { host: hostname, port: port || 2375 };
  return new Promise((resolve) => {
    const ping = request({ ...place, path: '/_ping', signal: AbortSignal.timeout(ANSWER_MS) }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.once('error', () => resolve(false)).end();
  });
}

/** The answer, and why in a few words. MILLRACE_TEST_BACKENDS decides when it is set; throws when it is neither. */
export async function chooseBackends(environment: Environment): Promise<{ where: Where; why: string }> {
  const wanted = environment.MILLRACE_TEST_BACKENDS;
  if (wanted === 'local' || wanted === 'containers') return { where: wanted, why: 'as MILLRACE_TEST_BACKENDS says' };
  if (wanted) throw new Error(`MILLRACE_TEST_BACKENDS must be local or containers, not '${wanted}'`);
  for (const engine of engines(environment))
    if (await answers(engine)) return { where: 'containers', why: `a Docker engine answers at ${engine}` };
  return { where: 'local', why: 'no Docker engine answers' };
}
