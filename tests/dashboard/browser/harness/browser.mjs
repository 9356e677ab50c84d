// One Chromium for all tests, and a user's actions in it.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { LIMIT, endAll, root, until } from './processes.mjs';

const tools = process.env.DASHBOARD_TOOLS;
if (!tools) throw new Error('DASHBOARD_TOOLS names the folder with the packages of package.json; `.ci/dashboard` makes it and runs the tests');
const require = createRequire(`${tools}/`), { chromium } = require('playwright-core');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP *.example 127.0.0.1'];

let launched;
/** The browser; in it every name under `.example` resolves to this machine. */
export const browser = () => launched ??= chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
after(async () => { await (await launched)?.close(); await endAll(); });

/** A window of its own. If DASHBOARD_ASSETS is set, it reads the page's files from the working tree, so that no build is needed. `page.heard` has its console's messages and its requests. */
export async function visitor({ tree = !!process.env.DASHBOARD_ASSETS, ...options } = {}) {
  const context = await (await browser()).newContext({ viewport: { width: 1280, height: 900 }, colorScheme: 'light', reducedMotion: 'reduce', timezoneId: 'Europe/Berlin', ...options });
  context.setDefaultTimeout(LIMIT);
  if (tree) await context.route(/^http:\/\/127\.0\.0\.1:\d+\/assets\//, route => route.fulfill({ path: join(root, 'pipeline-runtime/src/dashboard/assets', new URL(route.request().url()).pathname.split('/').at(-1)) }));
  return context;
}
export async function tab(context) {
  const page = await context.newPage();
  page.heard = { errors: [], requests: [], dialogs: [] };
  page.on('console', message => { if (message.type() === 'error') page.heard.errors.push(`${message.text()} at ${message.location().url}`); });
  page.on('pageerror', error => page.heard.errors.push(String(error)));
  page.on('request', request => page.heard.requests.push(request.url()));
  page.unanswered = new Set();
  page.on('request', request => page.unanswered.add(request.url()));
  for (const over of ['requestfinished', 'requestfailed']) page.on(over, request => page.unanswered.delete(request.url()));
  // Requests that the page's own policy blocked were not sent.
  page.on('requestfailed', request => { if (request.failure().errorText === 'csp') page.heard.requests.splice(page.heard.requests.indexOf(request.url()), 1); });
  page.on('dialog', dialog => { page.heard.dialogs.push(dialog.message()); dialog.dismiss(); });
  return page;
}
/** Waits until the page is drawn and reacts to keys. */
export const drawn = page => page.locator('main:not([aria-busy]) h1').first().waitFor({ state: 'attached' });
export async function visit(page, site, path = '') { await page.goto(new URL(path, site.url).href); await drawn(page); }

/** A test that prints its own file if it fails, as the runner names this one. `.ci/dashboard` reads the line. */
const named = body => {
  const file = /tests\/dashboard\/browser\/[\w-]+\.test\.mjs/.exec(new Error().stack)?.[0];
  return async t => { try { await body(t); } catch (error) { console.log(`test at ${file}: failed`); throw error; } };
};
/** A test in a window of its own, which must leave a clean console and may send requests only to its own server. */
export const inBrowser = (name, site, body, { errors = /^$/, ...options } = {}) => test(name, { timeout: 120_000 }, named(async t => {
  const shown = await site(), context = await visitor(options), page = await tab(context);
  try {
    await body(page, shown, t);
    assert.deepEqual(page.heard.errors.filter(text => !errors.test(text)), []);
    assert.deepEqual(page.heard.dialogs, []);
    assert.deepEqual(page.heard.requests.filter(url => !url.startsWith(shown.origin)), []);
  } catch (error) {
    const seen = await page.evaluate(() => document.body.innerText.slice(0, 1000)).catch(String);
    console.log(`${name}: the window shows\n${seen}\nand waits for ${[...page.unanswered].join(', ') || 'nothing'}`);
    throw error;
  } finally { await context.close(); }
}));

// ── A user's actions ─────────────────────────────────────────────────────────────────────────────────────────
/** Moves the focus to an element as a keyboard user does: by Tab. */
export async function tabTo(page, locator, { back = false, most = 80 } = {}) {
  for (let step = 0; step < most; step++) {
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
    // A page may recreate an element between two steps.
    if (await locator.evaluate(node => node === document.activeElement)) return;
  }
  throw new Error(`the keyboard does not reach ${locator} in ${most} steps; it is at ${await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200))}`);
}
export const press = async (page, ...keys) => { for (const key of keys) await page.keyboard.press(key); };
export const query = page => new URL(page.url()).searchParams;
export const eventually = (page, what, ask) => until(what, () => page.evaluate(ask));
export const focused = page => page.evaluate(() => ({ tag: document.activeElement.tagName, text: document.activeElement.textContent.trim(), label: document.activeElement.getAttribute('aria-label') }));

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], OF_COLOURS = ['color-contrast', 'link-in-text-block'];
/** The violations that axe finds, as `RULE: ELEMENT`: by all rules, or only by those about colors. */
export async function findings(page, { colours = false } = {}) {
  // The page's own policy blocks injected scripts; the debugger can add them.
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(runOnly => window.axe.run(document, { runOnly, resultTypes: ['violations'] }), colours ? OF_COLOURS : RULES);
  assert.ok(passes.length >= (colours ? 1 : 10), 'axe has checked nothing');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} – ${failureSummary.split('\n').slice(1).join(' ').trim()}`));
}
