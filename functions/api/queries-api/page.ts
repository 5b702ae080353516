/** A page's title, body and script → one file, nothing fetched, its own script and style alone allowed. Pure. */
import { createHash } from 'node:crypto';

const STYLE = `
:root { color-scheme: light dark }
body { font: 18px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 0 auto; padding: 3rem 1rem;
  overflow-wrap: anywhere; background: light-dark(#fff, #0f1419); color: light-dark(#1b2128, #dfe5eb) }
h1 { font-size: 1.5rem } label { display: block; margin: 1rem 0 .25rem }
input, button { font: inherit; box-sizing: border-box; width: 100%; min-height: 3rem; padding: .5rem .75rem;
  border: 1px solid light-dark(#8c959f, #57606a); border-radius: 8px; background: transparent; color: inherit }
button { margin-top: 1rem; border: 0; background: light-dark(#0b5c7a, #6cc4e6); color: light-dark(#fff, #0f1419); font-weight: 600 }
button:disabled { opacity: .6 }`;

export type Page = {
  readonly title: string;
  /** HTML. */
  readonly body: string;
  /** Runs in the browser. */
  readonly code: string;
  /** Why it needs JavaScript. */
  readonly needsScript: string;
};

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The page and its Content-Security-Policy. */
export function pageOf({ title, body, code, needsScript }: Page): { readonly text: string; readonly policy: string } {
  const policy = [
    "default-src 'none'",
    `script-src ${hash(code)}`,
    `style-src ${hash(STYLE)}`,
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  const text = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${STYLE}</style></head>
<body>
<h1>${title}</h1>
${body}
<p id="said" role="status"></p>
<noscript><p>This page needs JavaScript, ${needsScript}.</p></noscript>
<script>${code}</script>
</body>
</html>
`;
  return { text, policy };
}
