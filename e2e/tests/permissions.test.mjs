// The member's own page: what she permits, and how she takes it back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openWindow, picture } from '../lib/chromium.mjs';
import { codeOnPhone, decide, enterCode, LION, signIn, tickAccounts } from '../lib/people.mjs';
import { openConsentPage, openScene } from '../lib/scene.mjs';
import { platform } from '../lib/platform.mjs';

let scene;
before(async () => {
  scene = await openScene('Savanna Permissions');
});
after(() => scene?.close());

test('a member withdraws on her page without JavaScript, and the fintech reads no more', async () => {
  const page = await openWindow(scene.browser, { javaScript: false });
  const { consent, begun } = await openConsentPage(scene, page);
  await tickAccounts(page);
  await decide(page, 'continue');
  await enterCode(page, await codeOnPhone(LION));
  await page.waitForURL(`${scene.fintech.callback.url}*`);
  const token = await scene.fintech.finish(begun, page.url());
  const read = () => scene.fintech.call(LION.slug, 'GET', '/accounts', { token, consent });
  assert.equal((await read()).status, 200);

  const own = await openWindow(scene.browser, { javaScript: false });
  await own.goto(`${platform().gateway}/t/${LION.slug}/me`);
  await signIn(own, LION.member);
  assert.ok((await own.locator('main').innerText()).includes(scene.fintech.name), 'the page names who may read');
  await picture(own, 'me');
  await own.locator(`form[action*="${consent}"] button`).first().click();
  await picture(own, 'me-withdrawn');
  const after = await read();
  assert.equal(after.status, 401);
  assert.equal(after.body.tppMessages[0].code, 'CONSENT_INVALID');
  for (const one of [page, own]) await one.context().close();
});
