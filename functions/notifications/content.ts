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
export const button = (text: string, link: string): Block => ({ kind: 'button', text, link });

const FOOTER = words({
  en: { why: 'You need not get e-mails of this kind.', unsubscribe: 'Send me no more of them' },
  de: { why: 'Solche E-Mails müssen Sie nicht bekommen.', unsubscribe: 'E-Mails dieser Art abbestellen' },
});

/** Characters that no name needs and that turn or break what follows them: bidirectional controls, line separators. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g;
const straight = ({ label, value }: Line): Line => ({
  label: label.replaceAll(TURNING, ''),
  ...(value === undefined ? {} : { value: value.replaceAll(TURNING, '') }),
});

const straightened = (block: Block): Block =>
  block.kind === 'lines' ? { ...block, lines: block.lines.map(straight) } : block;

/** What the reader sees: the content, and for one that can be muted the link to do so, if there is one. */
export function blocksOf({ blocks }: Content, locale: Locale, unsubscribe: string | undefined): readonly Block[] {
  const shown = blocks.map(straightened);
  if (unsubscribe === undefined) return shown;
  const { why, unsubscribe: text } = FOOTER[locale];
  return [...shown, note(why), { kind: 'button', text, link: unsubscribe }];
}

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
