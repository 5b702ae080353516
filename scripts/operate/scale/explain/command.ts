/** `millrace scale explain <function>`: why it has the replicas that it has now, as the shop that npm start runs tells it. */
import { type Environment, readOptions, UsageError } from '../../../cli/cli.ts';
import { readShop } from '../platform.ts';
import { textOf } from './text.ts';

export async function explainCommand(args: readonly string[], environment: Environment = process.env): Promise<void> {
  const { values, positionals } = readOptions(args, { json: { type: 'boolean' }, url: { type: 'string' } });
  const [name, ...more] = positionals;
  if (!name) throw new UsageError('which function? scale explain takes its name');
  if (more.length > 0) throw new UsageError(`scale explain takes one function at a time, not also ${more.join(' ')}`);
  const states = await readShop(values.url, environment).functions();
  const state = states.find((one) => one.name === name);
  if (!state)
    throw new UsageError(`there is no function '${name}'; there are ${states.map((one) => one.name).join(', ')}`);
  console.log(values.json ? JSON.stringify(state, null, 2) : textOf(state, Date.now()));
}
