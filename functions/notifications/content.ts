/** What an e-mail says, as blocks → its plain text; html.ts makes its HTML of the same blocks, so that the two agree. Pure. */
import { type Locale, words } from './locale.ts';

/** Something and, at the end of its line, what belongs to it: an amount, a number. */
export type Line = { readonly label: string; readonly value?: string };

export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  /** `total` is the last line, set apart. */
  | { readonly kind: 'lines'; readonly lines: readonly Line[]; readonly total?: Line }
  | { readonly kind: 'button'; readonly text: string; readonly link: string }
  | { readonly kind: 'note'; readonly text: string };

export type Content = { readonly subject: string; readonly heading: string; readonly blocks: readonly Block[] };

export const paragraph = (text: string): Block => ({ kind: 'paragraph', text });
export const note = (text: string): Block => ({ kind: 'note', text });

const FOOTER = words({
  en: { why: 'You can do without e-mails of this kind.', unsubscribe: 'Send me no more of them' },
  de: { why: 'Auf solche E-Mails können Sie verzichten.', unsubscribe: 'Keine mehr davon senden' },
});

/** What the reader sees: the content, and for one that can be muted the link to do so, if there is one. */
export const blocksOf = ({ blocks }: Content, locale: Locale, unsubscribe: string | undefined): readonly Block[] =>
  unsubscribe === undefined
    ? blocks
    : [...blocks, note(FOOTER[locale].why), { kind: 'button', text: FOOTER[locale].unsubscribe, link: unsubscribe }];

const lineText = ({ label, value }: Line): string => (value === undefined ? label : `${label}  ${value}`);

function blockText(block: Block): string {
  if (block.kind === 'button') return `${block.text}:\n${block.link}`;
  if (block.kind !== 'lines') return block.text;
  const total = block.total ? ['', lineText(block.total)] : [];
  return [...block.lines.map(lineText), ...total].join('\n');
}

/** Links stand on lines of their own. */
export const textOf = (content: Content, locale: Locale, unsubscribe?: string): string =>
  `${[content.heading, ...blocksOf(content, locale, unsubscribe).map(blockText)].join('\n\n')}\n`;
