/** The standard gRPC health service, which Kubernetes probes ask, over checks that are asked seldom. */
import { HealthCheckResponse_ServingStatus as Health, HealthService } from '../../gen/grpc/health/v1/health.ts';
import { notFound, toAppError } from '../errors.ts';
import { type Offer, offer } from './methods.ts';

const READY_FOR_MS = 2_000;

/** The last answer of `check`, asked again when it is older than READY_FOR_MS; one question at a time. */
export function remember(check: () => Promise<string | undefined>) {
  let last: string | undefined = 'starting';
  let answeredAt = 0;
  let pending: Promise<string | undefined> | undefined;
  const ask = async (): Promise<string | undefined> => {
    last = await check().catch((error) => toAppError(error).message);
    answeredAt = Date.now();
    pending = undefined;
    return last;
  };
  const fresh = async (): Promise<string | undefined> => {
    if (Date.now() - answeredAt < READY_FOR_MS) return last;
    pending ??= ask();
    return pending;
  };
  const now = (): string | undefined => {
    void fresh();
    return last;
  };
  return { fresh, now };
}

/** `Check` for the names given, each with what is wrong at the moment, or undefined. */
export const healthOffers = (problemOf: Readonly<Record<string, () => Promise<string | undefined>>>): Offer[] =>
  offer(
    { check: HealthService.check },
    {
      async check({ service: name }) {
        const ask = Object.hasOwn(problemOf, name) ? problemOf[name] : undefined;
        const known = Object.keys(problemOf).map((key) => `'${key}'`);
        if (!ask) throw notFound('no-such-health', `There is no health of '${name}'; ask for ${known.join(', ')}`);
        return { status: (await ask()) === undefined ? Health.SERVING : Health.NOT_SERVING };
      },
    },
  ).map((each) => ({ ...each, probe: true }));
