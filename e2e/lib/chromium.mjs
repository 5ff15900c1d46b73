// The browser of the tests: an installed Chromium, a fresh profile, no downloads.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const ARTIFACTS = join(dirname(dirname(fileURLToPath(import.meta.url))), 'artifacts');
const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  // Root has no sandbox, and a page under test is our own.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where the browser is, or a sentence that says what to do. */
export function findChromium() {
  const named = process.env.BRANCHLINE_CHROMIUM;
  const found = named ? [named].find(existsSync) : CANDIDATES.find(existsSync);
  if (!found) throw new Error('no Chromium: install it, or set BRANCHLINE_CHROMIUM to its path');
  return found;
}

export async function launchBrowser() {
  return chromium.launch({ executablePath: findChromium(), args: FLAGS });
}

/** A member's browser window: its own cookies, a viewport, JavaScript on or off. */
export async function openWindow(browser, { javaScript = true, width = 1280, height = 900, ...more } = {}) {
  const context = await browser.newContext({
    javaScriptEnabled: javaScript,
    viewport: { width, height },
    reducedMotion: 'reduce',
    locale: 'en-GB',
    ...more,
  });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  return page;
}

/** Keeps a picture of the page; CI stores the folder. */
export async function picture(page, name) {
  await mkdir(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTIFACTS, `${name}.png`), fullPage: true });
}
