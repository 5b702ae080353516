/** What an e-mail says → HTML without tables or pictures, for a phone as for a desk, light or dark as the reader has it. Pure. */
import { type Block, blocksOf, type Content, type Line } from './content.ts';
import type { Locale } from './locale.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

/** Programs that know no `prefers-color-scheme` show the first of each pair. */
const STYLE = `
:root { color-scheme: light dark; supported-color-schemes: light dark }
body { margin: 0; padding: 0; background: #f3f5f7; color: #1b2128; font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; -webkit-text-size-adjust: 100% }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem 2.5rem; background: #ffffff; overflow-wrap: anywhere }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25 }
p { margin: 0 0 1rem }
ul { margin: 0 0 1rem; padding: 0; list-style: none }
li { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; padding: .5rem 0; border-bottom: 1px solid #d8dee4 }
li.total { border-bottom: 0; font-weight: 600 }
.label { flex: 1 1 9rem; min-width: 0; text-align: left }
.value { margin-left: auto; min-width: 0; text-align: right }
.button { display: inline-block; padding: .75rem 1.25rem; border-radius: 8px; background: #0b5c7a; color: #ffffff; font-weight: 600; text-decoration: none }
.note, .note a { color: #57606a; font-size: .875rem }
@media (prefers-color-scheme: dark) {
  body { background: #0a0e12; color: #dfe5eb }
  main { background: #0f1419 }
  li { border-color: #30363d }
  .button { background: #6cc4e6; color: #0f1419 }
  .note, .note a { color: #9aa4af }
}`;

/** Each in a direction of its own, as a name may be written from the right; read in their order where there is no style. */
function lineHtml({ label, value }: Line, total = false): string {
  const shown = value === undefined ? '' : ` <bdi class="value">${escaped(value)}</bdi>`;
  return `<li${total ? ' class="total"' : ''}><bdi class="label">${escaped(label)}</bdi>${shown}</li>`;
}

/** A button after a note is a quiet one. */
function blockHtml(block: Block, before: Block | undefined): string {
  if (block.kind === 'paragraph') return `<p>${escaped(block.text)}</p>`;
  if (block.kind === 'note') return `<p class="note">${escaped(block.text)}</p>`;
  if (block.kind === 'button') {
    const [wrap, link] = before?.kind === 'note' ? [' class="note"', ''] : ['', ' class="button"'];
    return `<p${wrap}><a${link} href="${escaped(block.link)}">${escaped(block.text)}</a></p>`;
  }
  const total = block.total ? lineHtml(block.total, true) : '';
  return `<ul>${block.lines.map((line) => lineHtml(line)).join('')}${total}</ul>`;
}

export function htmlOf(content: Content, locale: Locale, unsubscribe?: string): string {
  const blocks = blocksOf(content, locale, unsubscribe);
  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escaped(content.subject)}</title>
<style>${STYLE}
</style>
</head>
<body>
<main>
<h1>${escaped(content.heading)}</h1>
${blocks.map((block, index) => blockHtml(block, blocks[index - 1])).join('\n')}
</main>
</body>
</html>
`;
}
