// A third party's own software: a certified OAuth client (openid-client) and plain HTTP, nothing of ours.
import { randomUUID } from 'node:crypto';

import * as oauth from 'openid-client';

import { openCallback } from './callback.mjs';

const PSU_ADDRESS = '192.0.2.17';

/** Registers a third party (RFC 7591) and opens the page that browsers come back to. */
export async function registerFintech(gateway, name, invitation) {
  const callback = await openCallback('Savanna Budget');
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const jwk = { ...(await crypto.subtle.exportKey('jwk', pair.publicKey)), kid: 'e2e', use: 'sig', alg: 'ES256' };
  delete jwk.key_ops;
  delete jwk.ext;
  const answer = await fetch(`${gateway}/register`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${invitation}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_name: name,
      redirect_uris: [callback.url],
      token_endpoint_auth_method: 'private_key_jwt',
      grant_types: ['authorization_code', 'client_credentials'],
      response_types: ['code'],
      jwks: { keys: [jwk] },
      roles: ['AISP', 'PISP'],
    }),
  });
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`the registration was answered with ${answer.status}: ${text}`);
  const clientId = JSON.parse(text).client_id;
  return new Fintech({ gateway, name, clientId, key: pair.privateKey, callback });
}

class Fintech {
  constructor({ gateway, name, clientId, key, callback }) {
    Object.assign(this, { gateway, name, clientId, key, callback, servers: new Map() });
  }

  /** The tenant's authorization server, discovered by RFC 8414. */
  async server(tenant) {
    if (!this.servers.has(tenant)) {
      const issuer = new URL(`${this.gateway}/t/${tenant}`);
      const authentication = oauth.PrivateKeyJwt({ key: this.key, kid: 'e2e' });
      const options = { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests] };
      this.servers.set(tenant, await oauth.discovery(issuer, this.clientId, undefined, authentication, options));
    }
    return this.servers.get(tenant);
  }

  /** A token of its own, for starting consents (`AIS`) or payments (`PIS`). */
  async ownToken(tenant, scope) {
    return (await oauth.clientCredentialsGrant(await this.server(tenant), { scope })).access_token;
  }

  /** Calls XS2A. A failed call is an answer like any other. */
  async call(tenant, method, path, { token, consent, body, headers = {} } = {}) {
    const answer = await fetch(`${this.gateway}/t/${tenant}/v1${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(consent && { 'Consent-ID': consent }),
        ...(body && { 'Content-Type': 'application/json' }),
        'X-Request-ID': randomUUID(),
        'PSU-IP-Address': PSU_ADDRESS,
        'TPP-Redirect-URI': this.callback.url,
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, body: text && JSON.parse(text), headers: answer.headers };
  }

  /** Asks for a consent to read all accounts that the member will choose. */
  async askConsent(tenant, validUntil) {
    const access = { accounts: [], balances: [], transactions: [] };
    const body = { access, recurringIndicator: true, validUntil, frequencyPerDay: 4, combinedServiceIndicator: false };
    const answer = await this.call(tenant, 'POST', '/consents', { token: await this.ownToken(tenant, 'AIS'), body });
    if (answer.status !== 201) throw new Error(`no consent: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.consentId;
  }

  /** Asks for a credit transfer. */
  async askPayment(tenant, { from, to, payee, amount, currency, text }) {
    const body = {
      debtorAccount: { iban: from },
      creditorAccount: { iban: to },
      creditorName: payee,
      instructedAmount: { amount, currency },
      endToEndIdentification: randomUUID().replaceAll('-', '').slice(0, 30),
      remittanceInformationUnstructured: text,
    };
    const token = await this.ownToken(tenant, 'PIS');
    const answer = await this.call(tenant, 'POST', '/payments/sepa-credit-transfers', { token, body });
    if (answer.status !== 201) throw new Error(`no payment: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.paymentId;
  }

  /** Pushes an authorization request (RFC 9126) and gives the address for the member's browser. */
  async begin(tenant, scope) {
    const server = await this.server(tenant);
    const verifier = oauth.randomPKCECodeVerifier();
    const state = oauth.randomState();
    const url = await oauth.buildAuthorizationUrlWithPAR(server, {
      response_type: 'code',
      redirect_uri: this.callback.url,
      scope,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    return { tenant, url: url.href, verifier, state };
  }

  /** Takes the browser back and gets the token; the client checks issuer (RFC 9207) and state. */
  async finish(begun, address) {
    const checks = { pkceCodeVerifier: begun.verifier, expectedState: begun.state };
    const tokens = await oauth.authorizationCodeGrant(await this.server(begun.tenant), new URL(address), checks);
    return tokens.access_token;
  }

  async close() {
    await this.callback.close();
  }
}
