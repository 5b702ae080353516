import { createHash } from 'node:crypto';
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { type LinkPage, linkPage, PAGES } from './link-page.ts';
import { payPage } from './pay-page.ts';

const scriptOf = (text: string): string => /<script>(.*)<\/script>/s.exec(text)?.[1] ?? '';

type Answer = { readonly status: number; readonly body?: object };
type Sent = { readonly url: string; readonly method: string; readonly body: unknown };

/** The page's script in a browser that has just what it needs. */
function browse(page: LinkPage, hash: string, answer: Answer | Error) {
  const form = { hidden: true, submit: (_: object): Promise<void> => Promise.resolve() };
  const elements: Record<string, object> = {
    form: Object.assign(form, { addEventListener: (_: string, send: typeof form.submit) => (form.submit = send) }),
    button: { disabled: false },
    said: { textContent: '' },
    ...(page.asksPassword ? { password: { value: 'a new long password' } } : {}),
  };
  const shown = { address: `${page.target}${hash}`, sent: [] as Sent[] };
  const fetch = async (url: string, { method, body }: { method: string; body: string }) => {
    shown.sent.push({ url, method, body: JSON.parse(body) });
    if (answer instanceof Error) throw answer;
    return { ok: answer.status < 300, status: answer.status, json: async () => answer.body };
  };
  const location = { hash, pathname: '/page' };
  const history = { replaceState: (_: null, __: string, at: string) => (shown.address = at) };
  const document = { getElementById: (id: string) => elements[id] ?? null };
  runInContext(scriptOf(linkPage(page).text), createContext({ document, location, history, fetch }));
  return {
    form,
    shown,
    submit: () => form.submit({ preventDefault: () => undefined }),
    said: () => (elements.said as { textContent: string }).textContent,
  };
}

test.each([...Object.values(PAGES).map(linkPage), payPage()])(
  'a page allows its own script and style, and loads nothing, page %#',
  ({ text, policy }) => {
    const sha = (part: string) => `'sha256-${createHash('sha256').update(part).digest('base64')}'`;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src ${sha(scriptOf(text))};`);
    expect(policy).toContain(`style-src ${sha(/<style>(.*)<\/style>/s.exec(text)?.[1] ?? '')};`);
    expect(policy).not.toContain('unsafe');
    expect(text).not.toMatch(/<link|<img|url\(|https?:| on\w+=| style=/);
    expect(text).toContain('<meta name="viewport" content="width=device-width');
  },
);

test('the token leaves the address at once, and is sent when the reader says so', async () => {
  const page = browse(PAGES.verifyEmail, '#secret', { status: 204 });
  expect(page.shown).toEqual({ address: '/page', sent: [] });
  expect(page.form.hidden).toBe(false);
  await page.submit();
  expect(page.shown.sent).toEqual([{ url: '/v1/email-verifications', method: 'POST', body: { token: 'secret' } }]);
  expect(page.said()).toBe(PAGES.verifyEmail.done);
  expect(page.form.hidden).toBe(true);
});

test('a new password is sent with the token', async () => {
  const page = browse(PAGES.resetPassword, '#secret', { status: 204 });
  await page.submit();
  expect(page.shown.sent).toMatchObject([
    { url: '/v1/password-resets/confirmations', body: { token: 'secret', newPassword: 'a new long password' } },
  ]);
});

test.each<[string, Answer | Error, string]>([
  ['a link that is good no more', { status: 409, body: { slug: 'link-invalid' } }, PAGES.resetPassword.gone],
  [
    'a password that will not do',
    { status: 400, body: { slug: 'invalid-user', errors: [{ field: 'newPassword', message: 'must be longer' }] } },
    'The password must be longer.',
  ],
  ['too many tries', { status: 429, body: { slug: 'too-many-passwords' } }, 'That was too often.'],
  ['a shop in trouble', { status: 503, body: { slug: 'users-unavailable' } }, 'That did not work.'],
  ['no network', new TypeError('fetch failed'), 'The shop cannot be reached.'],
])('%s is said', async (_, answer, says) => {
  const page = browse(PAGES.resetPassword, '#secret', answer);
  await page.submit();
  expect(page.said()).toContain(says);
});

test('without a token there is nothing to send', () => {
  const page = browse(PAGES.verifyEmail, '', { status: 204 });
  expect(page.form.hidden).toBe(true);
  expect(page.said()).toContain('not complete');
});
