/** Builder of policies: event → commands to send now, commands to send later, and timers to cancel. */
import type * as z from 'zod/mini';
import { invalid } from './errors.ts';
import type { Definition } from './function.ts';
import { consume } from './handling/consume.ts';
import { pushHandler } from './handling/push.ts';
import { nameId } from './ids.ts';
import { type Bus, type NatsSettings, natsSettings, openBus } from './jetstream/connection.ts';
import { send } from './jetstream/publishing.ts';
import { cancelTimer, setTimer } from './jetstream/schedules.ts';
import { type Incoming, toHeaders } from './messages/message.ts';
import { validate } from './schema.ts';

type CommandType = `command.${string}`;
type Command<Type extends CommandType> = { readonly type: Type; readonly subject: string; readonly data: object };

/**
 * Commands of the types `Sent` go at once, of the types `Timed` later. `timer` names it among those of its type: the same
 * name again replaces it. `at` is RFC 3339; a time that is past means now.
 */
export type Reaction<Sent extends CommandType = never, Timed extends CommandType = never> =
  | { readonly do: 'send'; readonly command: Command<Sent> }
  | { readonly do: 'schedule'; readonly timer: string; readonly at: string; readonly command: Command<Timed> }
  | { readonly do: 'cancel'; readonly timer: string; readonly type: Timed };

type PolicySpec<Schema extends z.ZodMiniType, Sent extends CommandType, Timed extends CommandType> = {
  readonly stream: string;
  /** Event type → schema of its data. */
  readonly accepts: Readonly<Record<string, Schema>>;
  /** Types of the commands that it sends at once. */
  readonly publishes?: readonly Sent[];
  /** Types of the commands that it sets timers for. */
  readonly schedules?: readonly Timed[];
  /** Pure. What an event leads to. */
  react(type: string, data: z.infer<Schema>): readonly Reaction<NoInfer<Sent>, NoInfer<Timed>>[];
};

const IN_FLIGHT = 16;

/** The command's id is the event's and the policy's: an event that comes again sends the same command again. */
async function carryOut(
  bus: Bus,
  policy: string,
  { id, trace, correlationId }: Incoming,
  reaction: Reaction<CommandType, CommandType>,
  index: number,
): Promise<void> {
  if (reaction.do === 'cancel') return cancelTimer(bus, reaction.type, reaction.timer);
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
  if (reaction.do === 'send') await send(bus, type, payload, toHeaders(envelope), commandId);
  else await setTimer(bus, reaction.timer, { at: reaction.at, target: type, payload, headers: toHeaders(envelope) });
}

export function policy<
  Schema extends z.ZodMiniType,
  Sent extends CommandType = never,
  Timed extends CommandType = never,
>(spec: PolicySpec<Schema, Sent, Timed>): Definition<NatsSettings> {
  const types = Object.keys(spec.accepts);
  return {
    kind: 'policy',
    settings: natsSettings,
    stream: spec.stream,
    consumes: types,
    publishes: spec.publishes ?? [],
    schedules: spec.schedules ?? [],
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
