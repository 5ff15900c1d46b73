// Forms that were changed on their way, and forms that somebody else sends.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openWindow, picture } from '../lib/chromium.mjs';
import { codeForm, codeOnPhone, decide, decisionForm, enterCode, LION, tickAccounts } from '../lib/people.mjs';
import { openConsentPage, openPaymentPage, openScene } from '../lib/scene.mjs';
import { platform } from '../lib/platform.mjs';

let scene;
before(async () => {
  scene = await openScene('Savanna Tampering');
});
after(() => scene?.close());

/** Changes a field of the decision's form as a script in the way would. */
const change = (page, name, value) =>
  decisionForm(page).evaluate(
    (form, [field, text]) => {
      for (const one of form.querySelectorAll(`[name=${field}]`)) one.value = text;
    },
    [name, value],
  );

const hiddenFields = (page) => decisionForm(page).locator('input[type=hidden]').evaluateAll((all) => all.map((one) => one.name));

async function consentStatus(consent) {
  const token = await scene.fintech.ownToken(LION.slug, 'AIS');
  const answer = await scene.fintech.call(LION.slug, 'GET', `/consents/${consent}/status`, { token });
  return answer.body.consentStatus;
}

test('a consent form with a changed secret is refused, and nothing was given', async () => {
  const page = await openWindow(scene.browser);
  const { consent } = await openConsentPage(scene, page);
  const secrets = await hiddenFields(page);
  assert.ok(secrets.length > 0, 'the form carries a secret');
  await tickAccounts(page);
  for (const secret of secrets) await change(page, secret, 'changed');
  const [answer] = await Promise.all([page.waitForResponse((one) => one.request().method() === 'POST'), decide(page, 'continue')]);
  assert.ok(answer.status() >= 400 && answer.status() < 500, `answered with ${answer.status()}`);
  await picture(page, 'tampered-consent');
  assert.equal(await consentStatus(consent), 'received');
  await page.context().close();
});

test('an account that is not the member\'s own cannot be consented to', async () => {
  const page = await openWindow(scene.browser);
  const { consent } = await openConsentPage(scene, page);
  await tickAccounts(page);
  await change(page, 'account', scene.payee.account_id);
  const [answer] = await Promise.all([page.waitForResponse((one) => one.request().method() === 'POST'), decide(page, 'continue')]);
  assert.ok(answer.status() >= 400 && answer.status() < 500, `answered with ${answer.status()}`);
  assert.notEqual(await consentStatus(consent), 'valid');
  await page.context().close();
});

test('a form that another site sends is refused', async () => {
  const page = await openWindow(scene.browser);
  const { consent } = await openConsentPage(scene, page);
  const action = await decisionForm(page).evaluate((form) => form.action);
  // The attacker knows the address, not the secret, and the browser sends no cookie along.
  const foreign = await fetch(action, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'https://evil.example' },
    body: new URLSearchParams({ decision: 'continue', account: scene.payer.account_id }),
  });
  assert.ok(foreign.status >= 400 && foreign.status < 500, `answered with ${foreign.status}`);
  assert.equal(await consentStatus(consent), 'received');
  await page.context().close();
});

test('the code page of a payment cannot be turned into another amount', async () => {
  const page = await openWindow(scene.browser);
  const { payment } = await openPaymentPage(scene, page, '5.00');
  await decide(page, 'continue');
  await page.locator('input[name=code]').waitFor();
  // Whatever a page in the way shows or adds: the code is bound to what the bank holds.
  await codeForm(page).evaluate((form) => {
    for (const [name, value] of [['amount', '500.00'], ['creditor_iban', 'DE89370400440532013000']]) {
      form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
    }
  });
  await enterCode(page, await codeOnPhone(LION));
  await page.waitForLoadState();
  const token = await scene.fintech.ownToken(LION.slug, 'PIS');
  const answer = await scene.fintech.call(LION.slug, 'GET', `/payments/sepa-credit-transfers/${payment}`, { token });
  assert.equal(answer.body.instructedAmount.amount, '5.00');
  assert.equal(answer.body.creditorAccount.iban, scene.payee.iban);
  await page.context().close();
});

test('pages of an approval belong to the browser that began it', async () => {
  const page = await openWindow(scene.browser, { javaScript: false });
  await openConsentPage(scene, page);
  const address = page.url();
  const stranger = await openWindow(scene.browser, { javaScript: false });
  await stranger.goto(address);
  assert.equal(await decisionForm(stranger).count(), 0, 'another browser does not see it');
  assert.ok(address.startsWith(platform().gateway));
  for (const one of [page, stranger]) await one.context().close();
});
