// Starts the platform, gets tokens of every kind, and lets Schemathesis loose on both documents.
import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { openWindow } from '../lib/chromium.mjs';
import { codeOnPhone, decide, enterCode, LION, tickAccounts, tokenForCore } from '../lib/people.mjs';
import { operate, startPlatform } from '../lib/platform.mjs';
import { inDays, openConsentPage, openScene } from '../lib/scene.mjs';

const folder = dirname(fileURLToPath(import.meta.url));
const results = join(folder, '..', 'artifacts', 'schemathesis');
const SEED = '20261121';
/** Cases per operation, phase and run; the whole stays below three minutes. */
const EXAMPLES = process.env.BRANCHLINE_GENERATED_EXAMPLES ?? '40';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
];
const SUPERVISOR = { username: 'tendai' };

async function main() {
  await rm(results, { recursive: true, force: true });
  await mkdir(results, { recursive: true });
  const platform = await startPlatform();
  process.env.E2E_PLATFORM = JSON.stringify(platform.state);
  try {
    const scene = await openScene('Savanna Generated');
    try {
      return await runAll(platform.state, await castOf(scene));
    } finally {
      await scene.close();
    }
  } finally {
    await platform.stop();
  }
}

/** Tokens of every kind, and ids that exist. */
async function castOf(scene) {
  const { fintech } = scene;
  const page = await openWindow(scene.browser);
  const tokenOf = async (person) => {
    await page.context().clearCookies();
    return tokenForCore(page, LION, person);
  };
  const [staff, member] = [await tokenOf(SUPERVISOR), await tokenOf(LION.member)];
  await page.context().clearCookies();
  const { consent, begun } = await openConsentPage(scene, page);
  await tickAccounts(page);
  await decide(page, 'continue');
  await enterCode(page, await codeOnPhone(LION));
  await page.waitForURL(`${fintech.callback.url}*`);
  const token = await fintech.finish(begun, page.url());
  const accounts = await fintech.call(LION.slug, 'GET', '/accounts', { token, consent });
  const [asking, paying] = [await fintech.ownToken(LION.slug, 'AIS'), await fintech.ownToken(LION.slug, 'PIS')];
  // What is deleted by a generated request must not be what the reads need.
  const spareConsent = await fintech.askConsent(LION.slug, inDays(30));
  const sparePayment = await fintech.askPayment(LION.slug, paymentOf(scene));
  const run = async (path, own) => {
    const listed = await fintech.call(LION.slug, 'GET', `${path}/authorisations`, { token: own });
    return listed.body.authorisationIds[0];
  };
  return {
    invitation: await operate('tpp', 'invite', '--note', 'generated requests'),
    ...{ staff, member, consent, reading: token, asking, paying, spareConsent, sparePayment },
    account: scene.payer.account_id,
    resource: accounts.body.accounts[0].resourceId,
    consentRun: await run(`/consents/${spareConsent}`, asking),
    paymentRun: await run(`/payments/sepa-credit-transfers/${sparePayment}`, paying),
  };
}

function paymentOf({ payer, payee }) {
  return { from: payer.iban, to: payee.iban, payee: 'Joseph Banda', amount: '1.00', currency: 'EUR', text: 'Maize seed' };
}

async function runAll(state, cast) {
  const bearer = (token) => ({ Authorization: `Bearer ${token}` });
  // The first group that fits an operation wins.
  const core = [
    { name: 'GET /v1/accounts', headers: bearer(cast.member) },
    { path: '^/v1/payments', headers: bearer(cast.member), known: { id: cast.sparePayment } },
    { path: '^/v1/', headers: bearer(cast.staff), known: { id: cast.account } },
  ];
  const reading = { ...bearer(cast.reading), 'Consent-ID': cast.consent };
  const consents = { consentId: cast.spareConsent, authorisationId: cast.consentRun };
  const payments = { paymentProduct: 'sepa-credit-transfers', paymentId: cast.sparePayment, authorisationId: cast.paymentRun };
  const xs2a = [
    { path: '^/register', headers: bearer(cast.invitation) },
    { path: '/transactions$', headers: reading, known: { accountId: cast.resource, dateFrom: '2026-01-01', bookingStatus: 'booked' } },
    { path: '/v1/accounts', headers: reading, known: { accountId: cast.resource } },
    { path: '/v1/consents', headers: bearer(cast.asking), known: consents },
    { path: '/v1/payments', headers: bearer(cast.paying), known: payments },
  ];
  const failed = [];
  for (const [name, url, groups, fixed] of [['core', state.core, core, {}], ['xs2a', state.gateway, xs2a, { tenant: LION.slug }]]) {
    for (const ids of ['known', 'random']) {
      const config = join(results, `${name}-${ids}.toml`);
      await writeFile(config, configuration(groups, fixed, ids === 'known'));
      if ((await schemathesis(config, url, `${name}-${ids}`)) !== 0) failed.push(`${name} with ${ids} ids`);
    }
  }
  console.log(failed.length === 0 ? 'generated requests: 4 runs, all as documented' : `failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

/** The configuration of one run: which token goes where, and which ids exist. */
function configuration(groups, fixed, withKnown) {
  const table = (entries) => `{ ${Object.entries(entries).map(([key, value]) => `${JSON.stringify(key)} = ${JSON.stringify(value)}`).join(', ')} }`;
  const operation = ({ name, path, headers, known = {} }) => {
    const which = name ? `include-name = ${JSON.stringify(name)}` : `include-path-regex = ${JSON.stringify(path)}`;
    const parameters = { ...fixed, ...(withKnown ? known : {}) };
    return `[[operations]]\n${which}\nheaders = ${table(headers)}\nparameters = ${table(parameters)}\n`;
  };
  return `parameters = ${table(fixed)}\n\n${groups.map(operation).join('\n')}`;
}

function schemathesis(config, url, name) {
  const command = [
    ...['--config-file', config, 'run', `${url}/openapi.json`, '--url', url],
    // One worker: Hypothesis' caches are not made for several.
    ...['--seed', SEED, '--max-examples', EXAMPLES, '--workers', '1', '--checks', CHECKS.join(',')],
    ...['--phases', 'examples,coverage,fuzzing', '--mode', 'all', '--generation-database', 'none'],
    ...['--request-timeout', '10', '--continue-on-failure', '--no-color'],
    ...['--report', 'junit', '--report-junit-path', join(results, `${name}.xml`)],
  ];
  console.log(`\n== ${name}`);
  const child = spawn(join(folder, '.venv/bin/schemathesis'), command, { stdio: ['ignore', 'inherit', 'inherit'], cwd: results });
  return new Promise((ended, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => ended(code ?? 1));
  });
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(`schemathesis: ${error.message}`);
    process.exit(1);
  },
);
