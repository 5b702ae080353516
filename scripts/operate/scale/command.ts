/** `millrace scale <what>`: the faults of scaling rules, what a change of one would do, and why replicas are as they are. */
import { type Environment, UsageError } from '../../cli/cli.ts';
import { explainCommand } from './explain/command.ts';
import { lintCommand } from './lint/command.ts';
import { recordCommand } from './record/command.ts';
import { simulateCommand } from './simulate/command.ts';

const COMMANDS: Readonly<Record<string, (args: readonly string[], environment: Environment) => Promise<void>>> = {
  lint: lintCommand,
  simulate: simulateCommand,
  record: recordCommand,
  explain: explainCommand,
};

export async function scaleCommand(
  [what = '', ...args]: readonly string[],
  environment: Environment = process.env,
): Promise<void> {
  const command = Object.hasOwn(COMMANDS, what) ? COMMANDS[what] : undefined;
  if (!command) throw new UsageError(`scale takes ${Object.keys(COMMANDS).join(', ')}, not '${what}'`);
  await command(args, environment);
}
