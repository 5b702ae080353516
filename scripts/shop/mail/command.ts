/** `npx millrace mail preview`: the arguments → example e-mails in a folder. */
import path from 'node:path';
import { LOCALES } from '../../../functions/notifications/locale.ts';
import { readOptions, UsageError } from '../../cli/cli.ts';
import { repository } from '../../registry/repository.ts';
import { EXAMPLES } from './examples.ts';
import { previewFiles, writePreview } from './preview.ts';

const OPTIONS = { out: { type: 'string' }, locale: { type: 'string' } } as const;

export async function mailCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readOptions(args, OPTIONS);
  const [what, ...templates] = positionals;
  if (what !== 'preview') throw new UsageError(what ? `mail can preview, and not ${what}` : 'mail needs to know what');
  const known = EXAMPLES.map(({ template }) => template);
  const unknown = templates.find((template) => !known.includes(template));
  if (unknown) throw new UsageError(`there is no template '${unknown}'; there are ${known.join(', ')}`);
  const locales = LOCALES.filter((locale) => values.locale === undefined || locale === values.locale);
  if (locales.length === 0)
    throw new UsageError(`there are no e-mails in '${values.locale}', but in ${LOCALES.join(', ')}`);
  const folder = path.resolve(values.out ?? path.join(repository, '.local/mail-preview'));
  writePreview(folder, previewFiles(locales, templates));
  console.log(path.join(folder, 'index.html'));
}
