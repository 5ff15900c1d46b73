// What the files of tests begin with: a browser, a fintech of their own, two accounts to pay between.
import assert from 'node:assert/strict';

import { launchBrowser, openWindow } from './chromium.mjs';
import { registerFintech } from './fintech.mjs';
import { accountsOf, ELEPHANT, LION, signIn, tokenForCore } from './people.mjs';
import { operate, platform } from './platform.mjs';

/** Registers a fintech, enables it at both institutions, and finds the members' accounts. */
export async function openScene(name) {
  const browser = await launchBrowser();
  const invitation = await operate('tpp', 'invite', '--note', `e2e ${name}`);
  const fintech = await registerFintech(platform().gateway, name, invitation);
  for (const bank of [LION, ELEPHANT]) await operate('tpp', 'enable', '--client', fintech.clientId, '--tenant', bank.slug);
  const account = async (bank) => {
    const page = await openWindow(browser);
    const accounts = await accountsOf(await tokenForCore(page, bank, bank.member));
    await page.context().close();
    assert.ok(accounts.length > 0, `${bank.member.name} has an account`);
    return accounts[0];
  };
  const [payer, payee] = [await account(LION), await account(ELEPHANT)];
  const close = async () => {
    await browser.close();
    await fintech.close();
  };
  return { browser, fintech, payer, payee, close };
}

/** Asks for a consent and opens its page as the member, signed in. */
export async function openConsentPage(scene, page) {
  const consent = await scene.fintech.askConsent(LION.slug, inDays(90));
  const begun = await scene.fintech.begin(LION.slug, `AIS:${consent}`);
  await page.goto(begun.url);
  await signIn(page, LION.member);
  return { consent, begun };
}

/** Asks for a payment and opens its page as the member, signed in. */
export async function openPaymentPage(scene, page, amount) {
  const order = { payee: ELEPHANT.member.name, amount, currency: 'EUR', text: 'Maize seed' };
  const payment = await scene.fintech.askPayment(LION.slug, {
    ...order,
    from: scene.payer.iban,
    to: scene.payee.iban,
  });
  const begun = await scene.fintech.begin(LION.slug, `PIS:${payment}`);
  await page.goto(begun.url);
  await signIn(page, LION.member);
  return { payment, begun, order };
}

/** The calendar day so many days from now, in UTC. */
export function inDays(days) {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

/** What is available on an account, by the member's own token. */
export async function available(scene, bank, account) {
  const page = await openWindow(scene.browser);
  const token = await tokenForCore(page, bank, bank.member);
  await page.context().close();
  const answer = await fetch(`${platform().core}/v1/accounts/${account.account_id}/balances`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  assert.equal(answer.status, 200);
  return (await answer.json()).available.amount;
}
