// A member pays from one institution to the other, with JavaScript and without.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openWindow, picture } from '../lib/chromium.mjs';
import { codeForm, codeOnPhone, decide, ELEPHANT, enterCode, LION, wrong } from '../lib/people.mjs';
import { available, openPaymentPage, openScene } from '../lib/scene.mjs';

let scene;
before(async () => {
  scene = await openScene('Savanna Payments');
});
after(() => scene?.close());

const ENDED = ['ACCC', 'RJCT', 'CANC'];

/** Asks until the payment has ended; the test's own time-out bounds it. */
async function finalStatus(payment, token) {
  for (;;) {
    const path = `/payments/sepa-credit-transfers/${payment}/status`;
    const answer = await scene.fintech.call(LION.slug, 'GET', path, { token });
    assert.equal(answer.status, 200);
    if (ENDED.includes(answer.body.transactionStatus)) return answer.body.transactionStatus;
    await new Promise((later) => setTimeout(later, 100));
  }
}

for (const javaScript of [true, false]) {
  const how = javaScript ? 'with JavaScript' : 'without JavaScript';

  test(`a member approves what the page shows ${how}, and the money arrives`, async () => {
    const before = [await available(scene, LION, scene.payer), await available(scene, ELEPHANT, scene.payee)];
    const page = await openWindow(scene.browser, { javaScript });
    const amount = javaScript ? '1.25' : '2.75';
    const { payment, begun, order } = await openPaymentPage(scene, page, amount);
    for (const step of ['page', 'code']) {
      const text = await page.locator('main').innerText();
      assert.ok(text.includes(amount) && text.includes(order.currency), `the ${step} shows the amount: ${text}`);
      assert.ok(text.includes(order.payee), `the ${step} shows the payee: ${text}`);
      await picture(page, `payment-${step}-${javaScript ? 'js' : 'no-js'}`);
      if (step === 'page') await decide(page, 'continue');
    }
    await enterCode(page, await codeOnPhone(LION));
    await page.waitForURL(`${scene.fintech.callback.url}*`);
    const token = await scene.fintech.finish(begun, page.url());
    assert.equal(await finalStatus(payment, token), 'ACCC');
    const after = [await available(scene, LION, scene.payer), await available(scene, ELEPHANT, scene.payee)];
    const moved = (index) => Math.round((Number(after[index]) - Number(before[index])) * 100);
    assert.deepEqual([moved(0), moved(1)], [-Number(amount) * 100, Number(amount) * 100]);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
}

test('a payment that the member refuses moves nothing', async () => {
  const before = await available(scene, LION, scene.payer);
  const page = await openWindow(scene.browser, { javaScript: false });
  const { payment } = await openPaymentPage(scene, page, '3.00');
  await decide(page, 'refuse');
  await page.waitForURL(`${scene.fintech.callback.url}*`);
  assert.equal(new URL(page.url()).searchParams.get('error'), 'access_denied');
  const token = await scene.fintech.ownToken(LION.slug, 'PIS');
  assert.ok(['CANC', 'RJCT'].includes(await finalStatus(payment, token)));
  assert.equal(await available(scene, LION, scene.payer), before);
  await page.context().close();
});

test('the code of one payment does not approve another', async () => {
  const first = await openWindow(scene.browser, { javaScript: false });
  await openPaymentPage(scene, first, '4.00');
  await decide(first, 'continue');
  const code = await codeOnPhone(LION);
  const second = await openWindow(scene.browser, { javaScript: false });
  await openPaymentPage(scene, second, '400.00');
  await decide(second, 'continue');
  const own = await codeOnPhone(LION);
  await enterCode(second, code === own ? wrong(own) : code);
  assert.equal(await second.locator('input[name=code]').count(), 1, 'the page asks again');
  assert.ok(!second.url().startsWith(scene.fintech.callback.url));
  for (const page of [first, second]) await page.context().close();
});

test('a new code replaces the old one', async () => {
  const page = await openWindow(scene.browser, { javaScript: false });
  await openPaymentPage(scene, page, '0.50');
  await decide(page, 'continue');
  const old = await codeOnPhone(LION);
  await codeForm(page).locator('button[value=resend]').click();
  const fresh = await codeOnPhone(LION);
  assert.notEqual(fresh, old);
  await enterCode(page, old);
  assert.equal(await codeForm(page).count(), 1, 'the old code is refused');
  await enterCode(page, fresh);
  await page.waitForURL(`${scene.fintech.callback.url}*`);
  await page.context().close();
});
