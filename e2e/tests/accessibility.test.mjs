// Every page that a member meets: structure, axe, keyboard, small screens, strict headers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAxeFindsNothing, assertFitsWidth, assertPlainStructure, assertStrictHeaders } from '../lib/accessibility.mjs';
import { openWindow, picture } from '../lib/chromium.mjs';
import { codeOnPhone, decide, decisionForm, enterCode, LION, signIn, tickAccounts, wrong } from '../lib/people.mjs';
import { platform } from '../lib/platform.mjs';
import { openConsentPage, openPaymentPage, openScene } from '../lib/scene.mjs';

let scene;
before(async () => {
  scene = await openScene('Savanna Accessibility');
});
after(() => scene?.close());

/** Walks a member through all pages and shows each to `look`. */
async function walk(page, look) {
  const begun = await scene.fintech.begin(LION.slug, `AIS:${await scene.fintech.askConsent(LION.slug, '9999-12-31')}`);
  await page.goto(begun.url);
  await look('sign-in');
  await signIn(page, LION.member);
  await look('consent');
  await decide(page, 'continue');
  await look('consent-nothing-chosen');
  await tickAccounts(page);
  await decide(page, 'continue');
  await look('consent-code');
  const code = await codeOnPhone(LION);
  for (const attempt of [1, 2, 3]) {
    await enterCode(page, wrong(code));
    await look(`code-wrong-${attempt}`);
  }
  await walkPayment(page, look);
  await page.goto(`${platform().gateway}/t/${LION.slug}/me`);
  if (await page.locator('button[name=person]').count()) await signIn(page, LION.member);
  await look('me');
  await page.goto(`${platform().gateway}/t/${LION.slug}/phone`);
  await look('phone');
  await page.goto(`${platform().gateway}/t/${LION.slug}/oauth/authorize?client_id=x&request_uri=y`);
  await look('refused');
}

async function walkPayment(page, look) {
  const payment = await scene.fintech.askPayment(LION.slug, {
    from: scene.payer.iban,
    to: scene.payee.iban,
    payee: 'Joseph Banda and Sons Agricultural Machinery Repair Cooperative',
    amount: '1234567.89',
    currency: 'EUR',
    text: 'Maize seed for the long rains',
  });
  const begun = await scene.fintech.begin(LION.slug, `PIS:${payment}`);
  await page.goto(begun.url);
  if (await page.locator('button[name=person]').count()) await signIn(page, LION.member);
  await look('payment');
  await decide(page, 'continue');
  await look('payment-code');
}

for (const scheme of ['light', 'dark']) {
  test(`axe finds nothing on any page in ${scheme} colors`, async () => {
    const page = await openWindow(scene.browser, { colorScheme: scheme });
    const seen = [];
    await walk(page, async (name) => {
      await assertPlainStructure(page, name);
      await assertAxeFindsNothing(page, `${name}, ${scheme}`);
      if (scheme === 'dark') await picture(page, `dark-${name}`);
      seen.push(name);
    });
    assert.ok(seen.length >= 10, `looked at ${seen.length} pages`);
    await page.context().close();
  });
}

test('every page fits a window of 320 px', async () => {
  const page = await openWindow(scene.browser, { width: 320, height: 640, deviceScaleFactor: 2 });
  await walk(page, async (name) => {
    await picture(page, `narrow-${name}`);
    await assertFitsWidth(page, name);
  });
  await page.context().close();
});

test('every personal page is private, strict and not stored', async () => {
  const page = await openWindow(scene.browser, { javaScript: false });
  let last;
  page.on('response', (response) => {
    if (response.request().isNavigationRequest() && response.status() !== 303) last = response;
  });
  await walk(page, async (name) => {
    await page.waitForLoadState();
    assertStrictHeaders(last, name);
  });
  await page.context().close();
});

test('a consent is given by keyboard alone, and the focus can always be seen', async () => {
  const page = await openWindow(scene.browser);
  await openConsentPage(scene, page);
  await reach(page, 'input[name=account]');
  await page.keyboard.press('Space');
  assert.equal(await decisionForm(page).locator('input[name=account]:checked').count(), 1);
  await reach(page, 'button[name=decision][value=continue]');
  await page.keyboard.press('Enter');
  await page.locator('input[name=code]').waitFor();
  await reach(page, 'input[name=code]');
  await page.keyboard.type(await codeOnPhone(LION));
  await page.keyboard.press('Enter');
  await page.waitForURL(`${scene.fintech.callback.url}*`);
  assert.ok(new URL(page.url()).searchParams.get('code'));
  await page.context().close();
});

test('a payment is refused by keyboard alone', async () => {
  const page = await openWindow(scene.browser);
  await openPaymentPage(scene, page, '6.00');
  await reach(page, 'button[name=decision][value=refuse]');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${scene.fintech.callback.url}*`);
  await page.context().close();
});

/** Presses Tab until the element has the focus; every stop on the way must show it. */
async function reach(page, selector) {
  for (let stop = 0; stop < 40; stop += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    await page.keyboard.press('Tab');
    const shown = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
      return document.activeElement === document.body || outlined || style.boxShadow !== 'none';
    });
    assert.ok(shown, `the focus can be seen at stop ${stop + 1}`);
  }
  assert.fail(`Tab does not reach ${selector}`);
}
