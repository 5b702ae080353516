/** Planned journeys → customers who sign up, order, pay and so on, and staff who ship and refund; all that they were told. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, openClient, persist, post, type Request } from './client.ts';
import type { Underway } from './faults.ts';
import type { Journey, Step } from './plan.ts';
import type { Answer, SignUp } from './snapshot.ts';
import type { World } from './world.ts';

export type Load = Underway & {
  readonly client: Client;
  readonly signUps: readonly SignUp[];
  /** Begins each journey at its time, and none when `stop` has said so; resolves when all that began are at their end. */
  run(journeys: readonly Journey[], stop: AbortSignal): Promise<void>;
};

type Token = Request['token'];
type Shown = { readonly orderId: string; readonly shipments: readonly { readonly shipmentId: string }[] };

const PASSWORD = 'a password of chaos';
const REPEATED = 15;
const LONGEST_RECOVERY_MS = 60_000;

/** What a step sends, and whether staff does. */
function bodyOf(step: Step, { shipments }: Shown): { readonly body: object; readonly staff: boolean } {
  switch (step.what) {
    case 'payments':
      return { body: { token: step.token }, staff: false };
    case 'cancellations':
      return { body: { reason: 'chaos' }, staff: false };
    case 'deliveries':
      return { body: { shipmentId: shipments[0]?.shipmentId ?? '' }, staff: true };
    case 'shipments': {
      const lines = step.part ? { lines: [{ sku: 'chaos-plenty', quantity: 1 }] } : {};
      return { body: { carrier: 'Post', trackingNumber: 'NL-1', ...lines }, staff: true };
    }
    case 'refunds':
      return { body: step.part ? { amountMinor: 100 } : {}, staff: true };
  }
}

export function openLoad({ endpoints: { http }, demo }: World, signal: AbortSignal): Load {
  const client = openClient(http, signal);
  const signUps: SignUp[] = [];
  const sent: Request[] = [];

  /** Signs in when a token is asked for the first time, and again when it is not good any more. */
  const tokenOf = (account: { email: string; password: string }, ready: Promise<void>): Token => {
    let current: Promise<string> | undefined;
    const signIn = async (): Promise<string> => {
      await ready;
      const done = await persist(() => post(`${http}/v1/sessions`, account, {}), isCreated, signal);
      return (done?.body as { accessToken: string } | undefined)?.accessToken ?? '';
    };
    return (renew) => {
      if (renew || !current) current = signIn();
      return current;
    };
  };
  const signUp = async (account: { email: string; password: string }): Promise<void> => {
    const settles = ({ status }: { status: number }): boolean => status === 201 || status === 409;
    const headers = { 'idempotency-key': account.email };
    const done = await persist(() => post(`${http}/v1/users`, account, headers), settles, signal);
    if (done) signUps.push({ email: account.email, answeredAt: Date.now() });
  };
  const staff = tokenOf(demo.staff, Promise.resolve());
  const customers = new Map<number, Token>();
  const customer = (number: number): Token => {
    const account = { email: `chaos${number}@example.com`, password: PASSWORD };
    const token = customers.get(number) ?? tokenOf(account, signUp(account));
    customers.set(number, token);
    return token;
  };

  const send = (request: Request): Promise<Answer | undefined> => {
    sent.push(request);
    return client.send(request);
  };

  const take = async ({ key, customer: number, lines, groups }: Journey): Promise<void> => {
    const own = customer(number);
    const path = '/v1/orders';
    const placed = await send({ key, what: 'orders', path, body: { lines }, token: own });
    let shown = placed?.status === 201 ? (placed.body as Shown) : undefined;
    for (const [round, group] of groups.entries()) {
      const now = shown;
      if (!now) return;
      const steps = group.map(async (step, index) => {
        const { body, staff: byStaff } = bodyOf(step, now);
        const at = `${path}/${now.orderId}/${step.what}`;
        const request = { key: `${key}-${round}-${index}`, what: step.what, path: at, body };
        return send({ ...request, token: byStaff ? staff : own });
      });
      const done = (await Promise.all(steps)).filter((answer) => answer?.status === 201);
      shown = done.length > 0 ? (done[0]?.body as Shown) : undefined;
    }
  };

  return {
    client,
    signUps,
    async run(journeys, stop) {
      const began = Date.now();
      const all = journeys.map(async (journey) => {
        const waitMs = Math.max(0, began + journey.atMs - Date.now());
        await delay(waitMs, undefined, { signal: stop }).catch(() => undefined);
        if (!stop.aborted) await take(journey);
      });
      await Promise.all(all);
    },
    async recovered(at) {
      const isAfter = ({ what, status, sentAt }: Answer) => what === 'orders' && status === 201 && sentAt >= at;
      while (!client.answers.some(isAfter) && Date.now() < at + LONGEST_RECOVERY_MS) await delay(100);
    },
    async repeatCommands(random) {
      const again = random.shuffled(sent).slice(0, REPEATED);
      await Promise.all([...again, ...again].map((request) => client.send(request)));
    },
  };
}

const isCreated = ({ status }: { status: number }): boolean => status === 201;
