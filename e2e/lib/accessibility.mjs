// What every page of ours must have, and what axe finds (WCAG 2.2, levels A and AA).
import assert from 'node:assert/strict';

import axe from 'axe-core';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** Fails with the findings of axe. Runs in pages with JavaScript only. */
export async function assertAxeFindsNothing(page, name) {
  // Through the debugger, which the page's own strict policy does not bind.
  await page.evaluate(axe.source);
  const results = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags }), TAGS);
  const findings = results.violations.map(
    ({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.html).join('\n  ')}`,
  );
  assert.deepEqual(findings, [], `axe on ${name}`);
  assert.ok(results.passes.length > 5, `axe looked at ${name}`);
}

/** Language, title, one heading, a main region, labels, and names for all that can be pressed. */
export async function assertPlainStructure(page, name) {
  const facts = await page.evaluate(() => {
    const named = (field) =>
      field.labels?.length > 0 || field.getAttribute('aria-label') || field.getAttribute('aria-labelledby');
    const fields = [...document.querySelectorAll('input:not([type=hidden]), select, textarea')];
    const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1]));
    return {
      language: document.documentElement.lang,
      title: document.title.trim(),
      firstHeadings: document.querySelectorAll('h1').length,
      skipped: levels.some((level, at) => level > (levels[at - 1] ?? 0) + 1),
      mains: document.querySelectorAll('main').length,
      nameless: fields.filter((field) => !named(field)).map((field) => field.outerHTML),
      empty: [...document.querySelectorAll('a, button')].filter((one) => !one.textContent.trim()).length,
      viewport: document.querySelector('meta[name=viewport]')?.content ?? '',
    };
  });
  assert.match(facts.language, /^[a-z]{2}/, `${name} says its language`);
  assert.notEqual(facts.title, '', `${name} has a title`);
  assert.equal(facts.firstHeadings, 1, `${name} has one h1`);
  assert.equal(facts.skipped, false, `${name} skips no level of headings`);
  assert.equal(facts.mains, 1, `${name} has a main region`);
  assert.deepEqual(facts.nameless, [], `every field of ${name} has a label`);
  assert.equal(facts.empty, 0, `every link and button of ${name} has a text`);
  assert.match(facts.viewport, /width=device-width/, `${name} fits small screens`);
  assert.doesNotMatch(facts.viewport, /user-scalable=no|maximum-scale=1/, `${name} can be enlarged`);
}

/** Nothing sticks out to the right (WCAG 1.4.10). */
export async function assertFitsWidth(page, name) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${name} is ${content} px wide in a window of ${window} px`);
}

/** The headers that keep a personal page private and whole. */
export function assertStrictHeaders(response, name) {
  const headers = response.headers();
  const policy = headers['content-security-policy'] ?? '';
  assert.match(policy, /default-src 'none'|default-src 'self'/, `${name} has a content security policy`);
  assert.doesNotMatch(policy, /unsafe-|\*/, `${name} has no unsafe policy`);
  assert.match(policy, /frame-ancestors 'none'/, `${name} cannot be framed`);
  assert.equal(headers['x-content-type-options'], 'nosniff', `${name} is not sniffed`);
  assert.match(headers['cache-control'] ?? '', /no-store/, `${name} is not stored`);
  assert.equal(headers['referrer-policy'], 'no-referrer', `${name} tells nobody where it was`);
}
