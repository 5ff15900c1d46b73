// `npm test`: starts the platform, runs the tests one file after the other, stops the platform.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { findChromium } from './lib/chromium.mjs';
import { startPlatform } from './lib/platform.mjs';

const folder = dirname(fileURLToPath(import.meta.url));

/** Ends with the counts of node's runner; its exit code is ours. */
async function main() {
  try {
    findChromium();
  } catch (missing) {
    console.log(`skipped: pages in a browser: ${missing.message}`);
    return process.env.BRANCHLINE_REQUIRE_ALL === '1' ? 1 : 0;
  }
  const platform = await startPlatform();
  try {
    return await runTests(platform.state);
  } finally {
    await platform.stop();
  }
}

function runTests(state) {
  const wanted = process.argv.slice(2);
  const files = readdirSync(join(folder, 'tests'))
    .filter((name) => name.endsWith('.test.mjs'))
    .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
    .map((name) => join(folder, 'tests', name));
  const flags = ['--test', '--test-concurrency=1', '--test-reporter=spec', '--test-timeout=120000'];
  const runner = spawn(process.execPath, [...flags, ...files], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, E2E_PLATFORM: JSON.stringify(state) },
  });
  return new Promise((ended, failed) => {
    runner.on('error', failed);
    runner.on('exit', (code) => ended(code ?? 1));
  });
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(`e2e: ${error.message}`);
    process.exit(1);
  },
);
