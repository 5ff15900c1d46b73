// What a member does: signs in, reads the page, presses buttons, copies a code from her phone.
import assert from 'node:assert/strict';

import * as oauth from 'openid-client';

import { openCallback } from './callback.mjs';
import { platform } from './platform.mjs';

export const LION = { slug: 'lion', name: 'Lion Credit Union', member: { username: 'amina', name: 'Amina Otieno' } };
export const ELEPHANT = { slug: 'elephant', name: 'Elephant SACCO', member: { username: 'joseph', name: 'Joseph Banda' } };

/** Presses the person's button on the sign-in page of the development identity. */
export async function signIn(page, person) {
  const button = page.locator(`button[name=person][value=${person.username}]`);
  await button.waitFor();
  await button.click();
}

/** The form with the decision: the member's choice of accounts, or yes or no to a payment. */
export const decisionForm = (page) => formWith(page, 'button[name=decision][value=refuse]');
/** The form that takes the one-time code. */
export const codeForm = (page) => formWith(page, 'input[name=code]');
const formWith = (page, selector) => page.locator('form').filter({ has: page.locator(selector) });

/** Ticks every account that is offered. */
export async function tickAccounts(page) {
  const boxes = decisionForm(page).locator('input[type=checkbox][name=account]');
  for (const box of await boxes.all()) await box.check();
  return boxes.count();
}

export async function decide(page, word) {
  await decisionForm(page).locator(`button[name=decision][value=${word}]`).click();
}

export async function enterCode(page, code) {
  await codeForm(page).locator('input[name=code]').fill(code);
  await codeForm(page).locator('button[name=decision][value=confirm]').click();
}

/** The newest code on the member's phone, which is a page in profile dev. */
export async function codeOnPhone(bank) {
  const answer = await fetch(`${platform().gateway}/t/${bank.slug}/phone`);
  assert.equal(answer.status, 200, 'the phone answers');
  const text = (await answer.text()).replace(/<[^>]+>/g, ' ');
  const newest = text.match(/Code:\s+(\d{6})\b/);
  assert.ok(newest, `no code on the phone: ${text}`);
  return newest[1];
}

/** A code that is not this one. */
export function wrong(code) {
  return code.slice(0, -1) + ((Number(code.at(-1)) + 1) % 10);
}

/** A person's own access token for the core, by the client for command lines (RFC 8252). */
export async function tokenForCore(page, bank, person) {
  const issuer = new URL(`${platform().gateway}/dev-identity/${bank.slug}`);
  const options = { execute: [oauth.allowInsecureRequests] };
  const server = await oauth.discovery(issuer, 'branchline-cli', undefined, oauth.None(), options);
  const verifier = oauth.randomPKCECodeVerifier();
  const state = oauth.randomState();
  const callback = await openCallback('the command line');
  try {
    const url = oauth.buildAuthorizationUrl(server, {
      redirect_uri: callback.url,
      scope: 'openid',
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    await page.goto(url.href);
    await signIn(page, person);
    await page.waitForURL(`${callback.url}*`);
    const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true };
    return (await oauth.authorizationCodeGrant(server, new URL(page.url()), checks)).access_token;
  } finally {
    await callback.close();
  }
}

/** The accounts of the token's member, straight from the core. */
export async function accountsOf(token) {
  const answer = await fetch(`${platform().core}/v1/accounts`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
  return (await answer.json()).accounts;
}
