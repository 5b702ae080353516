/** `npx millrace <command>`: the commands for whoever runs a shop. */

import { type Command, UsageError } from './cli/cli.ts';
import { deadLettersCommand } from './operate/dead-letters/command.ts';
import { nkeysCommand } from './operate/nkeys/command.ts';
import { rebuildCommand } from './operate/rebuild/command.ts';
import { scaleCommand } from './operate/scale/command.ts';
import { whyCommand } from './operate/why/command.ts';
import { affectedCommand } from './ship/affected/command.ts';
import { deployCommand } from './ship/deploy/command.ts';
import { gateCommand } from './ship/deploy/gate.ts';
import { shopCommands } from './shop/commands.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  rebuild: {
    usage: 'rebuild <projector> [--database <url>] [--nats <url>]',
    says: 'builds the tables of a projector anew from its events, beside the live ones, and swaps them',
    run: (args) => rebuildCommand(args),
  },
  'dead-letters': {
    usage: 'dead-letters list|show|redrive|discard|sweep|audit [<id>…] [options]',
    says: 'shows the messages that could not be handled, sends them to their function again, or drops them',
    run: (args) => deadLettersCommand(args),
  },
  why: {
    usage:
      'why <subject|command-id|event-id|notification-key> [--jaeger <url>] [--nats <url>] [--database <url>] [--json]',
    says:
      'says why it took so long, or where it stands: each span, what it waited for, and what to do; from the traces\n      ' +
      'of what npm start runs, or from Jaeger, and from the event store',
    run: (args) => whyCommand(args),
  },
  scale: {
    usage: 'scale lint|simulate|record|explain [<function>] [options]',
    says:
      'finds faults in scaling rules; says what a rule, or a change of it by --set, does with a load: waits, replicas,\n      ' +
      'pod-seconds; records a load; says why a function has the replicas that it has:\n      ' +
      'lint [--overlay <name>]… [--p99 <function>=<seconds>]… [--jwt] [--json]\n      ' +
      'record <function> [--seconds 60] [--every 1] [--out <file>] [--nats <url>]\n      ' +
      'simulate --function <name> [--shape spike|day|ramp --messages <n> --seconds <n>] | --load <file of record>\n      ' +
      '         [--set max=20,lagThreshold=50] [--overlay production | --local] [--ms 50,200] [--pod-start 800,2200]\n      ' +
      '         [--seed <n>] [--out <file>.svg] [--json]\n      ' +
      'explain <function> [--url <url>] [--json]',
    run: (args) => scaleCommand(args),
  },
  nkeys: {
    usage: 'nkeys --out <folder>',
    says: 'makes an nkey for every function, and for whoever runs the shop, that has none in the folder yet',
    run: (args) => nkeysCommand(args),
  },
  ...shopCommands,
  affected: {
    usage: 'affected --since <ref> [--json]',
    says: 'lists the functions whose bundle, dependencies, manifests or image changed since a commit; as a matrix for CI',
    run: (args) => affectedCommand(args),
  },
  gate: {
    usage: 'gate <function> [--nats <url>]',
    says: 'checks that it may be deployed: its manifests, its tests, its consumers on the server, events of the past',
    run: (args) => gateCommand(args),
  },
  deploy: {
    usage: 'deploy <function> --image <name@sha256:…> [--overlay production] [--wait 3m]',
    says: 'applies one function by kubectl, wakes it to see that it starts, and puts the one before back when it does not',
    run: (args) => deployCommand(args),
  },
};

const usage = (): string =>
  [
    'usage: npx millrace <command>',
    ...Object.values(COMMANDS).map(({ usage, says }) => `  ${usage}\n      ${says}`),
    'The database is --database, else DATABASE_URL, else the one of the shop that npm start has started;',
    'the NATS server is --nats, else NATS_URL, with the key of NATS_SEED_FILE, else that of the shop.',
  ].join('\n');

function end(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `millrace: ${message}\n\n${usage()}` : `millrace: ${message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

const [name, ...args] = process.argv.slice(2);
if (name === '--help' || name === 'help') console.log(usage());
else {
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) await command.run(args).catch(end);
  else end(new UsageError(name ? `there is no command '${name}'` : 'which command?'));
}
