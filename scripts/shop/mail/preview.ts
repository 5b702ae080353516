/** Example e-mails → files to open in a browser: each as HTML and as text, and an index. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { escaped } from '../../../functions/notifications/html.ts';
import type { Locale } from '../../../functions/notifications/locale.ts';
import { EXAMPLES } from './examples.ts';

type File = { readonly name: string; readonly text: string };
type Shown = { readonly template: string; readonly locale: Locale; readonly subject: string };

const nameOf = ({ template, locale }: Pick<Shown, 'template' | 'locale'>): string => `${template}.${locale}`;

const rowOf = (shown: Shown): string => {
  const name = nameOf(shown);
  return `<li><a href="${name}.html">${escaped(shown.subject)}</a> <small>${name} · <a href="${name}.txt">text</a></small></li>`;
};

const indexOf = (shown: readonly Shown[]): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>E-mails</title>
<style>:root { color-scheme: light dark } body { font: 16px/1.6 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
li { margin: .25rem 0 } small { opacity: .7 }</style></head>
<body><h1>E-mails</h1><p>Written from example events. For dark mode change the theme of the browser.</p>
<ul>
${shown.map(rowOf).join('\n')}
</ul></body>
</html>
`;

/** Pure. All files, of the templates named or, without any, of all. */
export function previewFiles(locales: readonly Locale[], templates: readonly string[] = []): File[] {
  const wanted = EXAMPLES.filter(({ template }) => templates.length === 0 || templates.includes(template));
  const mails = wanted.flatMap(({ template, write }) =>
    locales.map((locale) => ({ template, locale, ...write(locale) })),
  );
  return [
    { name: 'index.html', text: indexOf(mails) },
    ...mails.flatMap((mail) => [
      { name: `${nameOf(mail)}.html`, text: mail.html },
      { name: `${nameOf(mail)}.txt`, text: `${mail.subject}\n\n${mail.text}` },
    ]),
  ];
}

export function writePreview(folder: string, files: readonly File[]): void {
  mkdirSync(folder, { recursive: true });
  for (const { name, text } of files) writeFileSync(path.join(folder, name), text);
}
