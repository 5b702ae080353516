/** What a link of an e-mail is for → its page: one file, nothing fetched, its own script and style alone allowed. Pure. */
import { createHash } from 'node:crypto';

export type LinkPage = {
  readonly title: string;
  readonly intro: string;
  readonly button: string;
  /** Where the token goes, by POST. */
  readonly target: string;
  readonly asksPassword: boolean;
  readonly done: string;
  /** What to do when the link is good no more. */
  readonly gone: string;
};

export const PAGES = {
  verifyEmail: {
    title: 'Confirm your e-mail address',
    intro: 'One tap, and we know that this address is yours.',
    button: 'Confirm',
    target: '/v1/email-verifications',
    asksPassword: false,
    done: 'Your e-mail address is confirmed. You can close this page.',
    gone: 'This link is good no more.',
  },
  resetPassword: {
    title: 'Set a new password',
    intro: 'It needs 10 characters or more. You will be signed out everywhere.',
    button: 'Set the password',
    target: '/v1/password-resets/confirmations',
    asksPassword: true,
    done: 'Your new password is set. Sign in with it.',
    gone: 'This link is good no more. Ask for a new e-mail.',
  },
} as const satisfies Record<string, LinkPage>;

const STYLE = `
:root { color-scheme: light dark }
body { font: 18px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 0 auto; padding: 3rem 1rem;
  background: light-dark(#fff, #0f1419); color: light-dark(#1b2128, #dfe5eb) }
h1 { font-size: 1.5rem } label { display: block; margin: 1rem 0 .25rem }
input, button { font: inherit; box-sizing: border-box; width: 100%; min-height: 3rem; padding: .5rem .75rem;
  border: 1px solid light-dark(#8c959f, #57606a); border-radius: 8px; background: transparent; color: inherit }
button { margin-top: 1rem; border: 0; background: light-dark(#0b5c7a, #6cc4e6); color: light-dark(#fff, #0f1419); font-weight: 600 }
button:disabled { opacity: .6 }`;

/** Runs in the browser. The token leaves the address at once, so that it stays in no history and no bookmark. */
const script = ({ target, done, gone }: LinkPage): string => `
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
const form = document.getElementById('form');
const button = document.getElementById('button');
const password = document.getElementById('password');
const say = (text) => { document.getElementById('said').textContent = text; };

async function said(response) {
  if (response.ok) { form.hidden = true; return ${JSON.stringify(done)}; }
  const { slug, errors = [] } = await response.json();
  if (slug === 'link-invalid') { form.hidden = true; return ${JSON.stringify(gone)}; }
  if (response.status === 429) return 'That was too often. Wait a minute, and try again.';
  return errors.length > 0 && password ? 'The password ' + errors[0].message + '.' : 'That did not work. Try again in a minute.';
}

async function send(event) {
  event.preventDefault();
  button.disabled = true;
  say('One moment …');
  const body = JSON.stringify(password ? { token, newPassword: password.value } : { token });
  const headers = { 'content-type': 'application/json' };
  try {
    say(await said(await fetch(${JSON.stringify(target)}, { method: 'POST', headers, body })));
  } catch {
    say('The shop cannot be reached. Try again in a minute.');
  }
  button.disabled = false;
}

form.addEventListener('submit', send);
if (token) form.hidden = false;
else say('This link is not complete. Open it from the e-mail again.');
`;

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const PASSWORD_FIELD = `<label for="password">New password</label>
<input id="password" type="password" autocomplete="new-password" minlength="10" required>`;

/** The page and its Content-Security-Policy. */
export function linkPage(page: LinkPage): { readonly text: string; readonly policy: string } {
  const code = script(page);
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
<title>${page.title}</title><style>${STYLE}</style></head>
<body>
<h1>${page.title}</h1>
<p>${page.intro}</p>
<form id="form" hidden>
${page.asksPassword ? PASSWORD_FIELD : ''}
<button id="button">${page.button}</button>
</form>
<p id="said" role="status"></p>
<noscript><p>This page needs JavaScript, for the link keeps its secret from the server until you confirm.</p></noscript>
<script>${code}</script>
</body>
</html>
`;
  return { text, policy };
}
