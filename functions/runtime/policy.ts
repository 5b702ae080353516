/** Builder of policies: event → commands to send now, commands to send later, and timers to cancel. */
import type * as z from 'zod/mini';
import { type Bus, openBus } from './bus.ts';
import { consume } from './consume.ts';
import { invalid } from './errors.ts';
import type { Definition } from './function.ts';
import { nameId } from './ids.ts';
import { type Incoming, toHeaders } from './message.ts';
import { pushHandler } from './push.ts';
import { cancelTimer, setTimer } from './timer.ts';
import { validate } from './validate.ts';

type Command = { readonly type: `command.${string}`; readonly subject: string; readonly data: object };

/** `timer` names it: the same name again replaces it. `at` is RFC 3339; a time that is past means now. */
export type Reaction =
  | { readonly do: 'send'; readonly command: Command }
  | { readonly do: 'schedule'; readonly timer: string; readonly at: string; readonly command: Command }
  | { readonly do: 'cancel'; readonly timer: string };

type PolicySpec<Schema extends z.ZodMiniType> = {
  readonly stream: string;
  /** Event type → schema of its data. */
  readonly accepts: Readonly<Record<string, Schema>>;
  /** Pure. What an event leads to. */
  react(type: string, data: z.infer<Schema>): readonly Reaction[];
};

const IN_FLIGHT = 16;

/** The command's id is the event's and the policy's: an event that comes again sends the same command again. */
async function carryOut(
  bus: Bus,
  policy: string,
  { id, trace, correlationId }: Incoming,
  reaction: Reaction,
  index: number,
): Promise<void> {
  if (reaction.do === 'cancel') return cancelTimer(bus, reaction.timer);
  const { type, subject, data } = reaction.command;
  const commandId = nameId(policy, id, String(index));
  const envelope = {
    id: commandId,
    type,
    subject,
    source: `/millrace/${policy}`,
    time: new Date().toISOString(),
    correlationId,
    ...trace,
  };
  const payload = JSON.stringify(data);
  if (reaction.do === 'send') await bus.publish(type, payload, toHeaders(envelope), commandId);
  else await setTimer(bus, reaction.timer, { at: reaction.at, target: type, payload, headers: toHeaders(envelope) });
}

export function policy<Schema extends z.ZodMiniType>(spec: PolicySpec<Schema>): Definition<'NATS_URL'> {
  const types = Object.keys(spec.accepts);
  return {
    kind: 'policy',
    needs: ['NATS_URL'],
    consumes: types,
    inFlight: IN_FLIGHT,
    async start(shell) {
      const bus = await openBus(shell);
      const handle = async ([incoming]: readonly Incoming[]): Promise<void> => {
        if (!incoming) return;
        const { type, data } = incoming;
        const schema = spec.accepts[type];
        if (!schema) throw invalid('wrong-type', `This policy has no use for '${type}'`);
        const reactions = spec.react(type, validate(schema, data, `The event ${type}`, 'invalid-event'));
        await Promise.all(reactions.map((reaction, index) => carryOut(bus, shell.name, incoming, reaction, index)));
      };
      const options = {
        stream: spec.stream,
        consumer: shell.name,
        types,
        inFlight: IN_FLIGHT,
        batch: 1,
        concurrency: IN_FLIGHT,
      };
      return { ...consume(shell, bus, options, handle), http: pushHandler(shell.log, handle) };
    },
  };
}
