/** The page where an order is paid, which e-mails lead to: signs in, shows the order, pays it, all by the API. Pure. */
import { pageOf } from './page.ts';

const BODY = `<form id="sign-in" hidden>
<p>Sign in to see your order and pay it.</p>
<label for="email">E-mail address</label>
<input id="email" type="email" autocomplete="username" required>
<label for="password">Password</label>
<input id="password" type="password" autocomplete="current-password" required>
<button id="sign-in-button">Sign in</button>
</form>
<form id="pay" hidden>
<p id="order"></p>
<label for="token">Payment token, as your payment provider gave it</label>
<input id="token" autocomplete="off" maxlength="200" required>
<button id="pay-button">Pay</button>
</form>`;

/** The tokens of the session stay in this page, and the session ends with it. A try has the same key until it is answered. */
const CODE = `
const orderId = location.pathname.split('/')[2];
const at = (id) => document.getElementById(id);
const say = (text) => { at('said').textContent = text; };
let accessToken;
let attempt = {};

async function call(method, path, body, headers = {}) {
  const response = await fetch(path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(accessToken ? { authorization: 'Bearer ' + accessToken } : {}),
      ...headers,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: await response.json() };
}

function amount({ totalMinor, currency }) {
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency });
  return format.format(totalMinor / 10 ** format.resolvedOptions().maximumFractionDigits);
}

const ended = { cancelled: 'is cancelled', expired: 'has expired' };

/** undefined: it can be paid. */
function closed({ status, paymentStatus }) {
  if (ended[status]) return 'This order ' + ended[status] + ', and you have nothing to pay.';
  if (paymentStatus === 'pending' || paymentStatus === 'failed') return undefined;
  return 'This order is paid. Thank you.';
}

function show(order) {
  const done = closed(order);
  at('sign-in').hidden = true;
  at('pay').hidden = done !== undefined;
  at('order').textContent =
    order.lines.map(({ quantity, name }) => quantity + ' × ' + name).join(', ') + '. To pay: ' + amount(order);
  return done ?? (order.paymentStatus === 'failed' ? 'The last payment did not go through. Nothing was taken.' : '');
}

async function showOrder() {
  const { status, body } = await call('GET', '/v1/orders/' + orderId);
  if (status === 200) return show(body);
  if (status === 404) return 'You have no such order. Did you order it with another address?';
  return 'That did not work. Try again in a minute.';
}

async function signIn() {
  accessToken = undefined;
  const { status, body } = await call('POST', '/v1/sessions', { email: at('email').value, password: at('password').value });
  if (status === 429) return 'That was too often. Wait a minute, and try again.';
  if (status === 400 || status === 401) return 'The address or the password is wrong.';
  if (status !== 201) return 'That did not work. Try again in a minute.';
  accessToken = body.accessToken;
  at('password').value = '';
  return showOrder();
}

async function pay() {
  const token = at('token').value;
  if (attempt.token !== token) attempt = { token, key: crypto.randomUUID() };
  const headers = { 'idempotency-key': attempt.key, prefer: 'wait=20' };
  const { status, body } = await call('POST', '/v1/orders/' + orderId + '/payments', { token }, headers);
  if (status === 201) {
    attempt = {};
    return show(body);
  }
  if (status === 409) {
    await showOrder();
    return body.detail;
  }
  if (status === 202) return 'That takes longer than usual. Press Pay again in a minute: you pay once.';
  if (status === 400) return 'That is no payment token.';
  if (status === 401) {
    at('pay').hidden = true;
    at('sign-in').hidden = false;
    return 'That took a while. Please sign in again.';
  }
  return 'That did not work. Press Pay again in a minute: you pay once.';
}

const onSubmit = (form, act) => at(form).addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = at(form + '-button');
  button.disabled = true;
  say('One moment …');
  try {
    say(await act());
  } catch {
    say('The shop cannot be reached. Try again in a minute.');
  }
  button.disabled = false;
});

onSubmit('sign-in', signIn);
onSubmit('pay', pay);
addEventListener('pagehide', () => {
  if (accessToken) fetch('/v1/sessions/current', { method: 'DELETE', keepalive: true, headers: { authorization: 'Bearer ' + accessToken } });
  accessToken = undefined;
});
at('sign-in').hidden = false;
`;

/** The page and its Content-Security-Policy. */
export const payPage = () =>
  pageOf({
    title: 'Pay your order',
    body: BODY,
    code: CODE,
    needsScript: 'for it signs you in and pays by the API',
  });
