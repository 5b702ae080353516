/** What a link of an e-mail is for → its page. Pure. */
import { pageOf } from './page.ts';

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

const PASSWORD_FIELD = `<label for="password">New password</label>
<input id="password" type="password" autocomplete="new-password" minlength="10" required>`;

/** The page and its Content-Security-Policy. */
export const linkPage = (page: LinkPage) =>
  pageOf({
    title: page.title,
    code: script(page),
    needsScript: 'for the link keeps its secret from the server until you confirm',
    body: `<p>${page.intro}</p>
<form id="form" hidden>
${page.asksPassword ? PASSWORD_FIELD : ''}
<button id="button">${page.button}</button>
</form>`,
  });
