// A member lets a fintech read her accounts, with JavaScript and without.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openWindow, picture } from '../lib/chromium.mjs';
import { codeOnPhone, decide, decisionForm, enterCode, LION, tickAccounts, wrong } from '../lib/people.mjs';
import { openConsentPage, openScene, inDays } from '../lib/scene.mjs';

let scene;
before(async () => {
  scene = await openScene('Savanna Consent');
});
after(() => scene?.close());

/** A day as British people write it. */
const inWords = (day) =>
  new Date(day).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });

for (const javaScript of [true, false]) {
  const how = javaScript ? 'with JavaScript' : 'without JavaScript';

  test(`a member gives a consent ${how}, and the fintech reads`, async () => {
    const page = await openWindow(scene.browser, { javaScript });
    const { consent, begun } = await openConsentPage(scene, page);
    const text = await page.locator('body').innerText();
    assert.ok(text.includes(scene.fintech.name), `the page says who asks: ${text}`);
    assert.ok(text.includes(LION.member.name), `the page says who is signed in: ${text}`);
    assert.ok(text.includes(inWords(inDays(90))), 'the page says until when');
    assert.ok(text.replaceAll(' ', '').includes(scene.payer.iban), 'the page shows the account');
    const ticked = decisionForm(page).locator('input[name=account]:checked');
    assert.equal(await ticked.count(), 0, 'nothing is ticked before the member does');
    await picture(page, `consent-${javaScript ? 'js' : 'no-js'}`);

    assert.ok((await tickAccounts(page)) > 0);
    await decide(page, 'continue');
    await picture(page, `consent-code-${javaScript ? 'js' : 'no-js'}`);
    await enterCode(page, await codeOnPhone(LION));
    await page.waitForURL(`${scene.fintech.callback.url}*`);
    const token = await scene.fintech.finish(begun, page.url());

    const read = async (path) => scene.fintech.call(LION.slug, 'GET', path, { token, consent });
    const accounts = await read('/accounts');
    assert.equal(accounts.status, 200);
    const [account] = accounts.body.accounts;
    assert.equal(account.iban, scene.payer.iban);
    assert.notEqual(account.resourceId, scene.payer.account_id, 'the fintech sees an id of its own');
    assert.equal((await read(`/accounts/${account.resourceId}/balances`)).status, 200);
    assert.equal((await read(`/accounts/${account.resourceId}/transactions?bookingStatus=booked&dateFrom=2020-01-01`)).status, 200);
    assert.deepEqual(page.complaints, [], 'the browser has nothing to complain about');
    await page.context().close();
  });
}

test('a member who refuses gives nothing', async () => {
  const page = await openWindow(scene.browser, { javaScript: false });
  const { consent } = await openConsentPage(scene, page);
  await decide(page, 'refuse');
  await page.waitForURL(`${scene.fintech.callback.url}*`);
  const back = new URL(page.url());
  assert.equal(back.searchParams.get('error'), 'access_denied');
  assert.equal(back.searchParams.get('code'), null);
  const token = await scene.fintech.ownToken(LION.slug, 'AIS');
  const status = await scene.fintech.call(LION.slug, 'GET', `/consents/${consent}/status`, { token });
  assert.equal(status.body.consentStatus, 'rejected');
  await page.context().close();
});

test('an approval without an account is refused on the page, and the member can go on', async () => {
  const page = await openWindow(scene.browser, { javaScript: false });
  await openConsentPage(scene, page);
  await decide(page, 'continue');
  await picture(page, 'consent-nothing-chosen');
  const text = await page.locator('main').innerText();
  assert.match(text, /account/i);
  assert.equal(await decisionForm(page).count(), 1, 'the form is still there');
  assert.ok((await tickAccounts(page)) > 0);
  await decide(page, 'continue');
  await page.locator('input[name=code]').waitFor();
  await page.context().close();
});

test('a third wrong code ends it, and the right one comes too late', async () => {
  const page = await openWindow(scene.browser, { javaScript: false });
  const { consent } = await openConsentPage(scene, page);
  await tickAccounts(page);
  await decide(page, 'continue');
  const code = await codeOnPhone(LION);
  const address = page.url();
  for (const attempt of [1, 2, 3]) {
    await enterCode(page, wrong(code));
    await picture(page, `code-wrong-${attempt}`);
    assert.equal(await page.locator('input[name=code]').count(), attempt < 3 ? 1 : 0, `after attempt ${attempt}`);
  }
  const token = await scene.fintech.ownToken(LION.slug, 'AIS');
  const status = await scene.fintech.call(LION.slug, 'GET', `/consents/${consent}/status`, { token });
  assert.notEqual(status.body.consentStatus, 'valid');
  await page.goto(address);
  assert.equal(await page.locator('input[name=code]').count(), 0, 'going back brings no further attempt');
  await page.context().close();
});
