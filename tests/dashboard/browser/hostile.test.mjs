// Texts from strangers: names, keys, params, errors, log lines and addresses that a browser or a terminal could interpret.
import assert from 'node:assert/strict';
import { inBrowser, press, visit } from './harness/browser.mjs';
import { HOSTILE, KEYED, MAPPED, fixture } from './harness/sites.mjs';
import { until } from './harness/processes.mjs';

const MARK = '<img src=x onerror=alert(1)></script>';
/** Elements and attributes that no page creates itself. */
const foreign = page => page.evaluate(() => [...document.querySelectorAll('img, b, script:not([src]), iframe, object, [onerror], [onclick]')].map(node => node.outerHTML));
const controls = text => /[\u0000-\u0008\u000b-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(text);
const shows = async (page, text) => { await page.getByText(text, { exact: false }).first().waitFor(); };

for (const [name, path, text] of [
  ['an error', `r/${HOSTILE}?node=publish`, MARK],
  ['a log line', `r/${HOSTILE}?view=log`, MARK],
  ['a record', `r/${HOSTILE}?view=records`, MARK],
  ['a param', `compare?a=${MAPPED}&b=${HOSTILE}`, '<b>bold</b>'],
  ['the params of a run', `r/${HOSTILE}?view=details`, '<b>bold</b>'],
  ['a form', `p/parted/trigger?p.label=${encodeURIComponent(MARK)}&p.parts=${encodeURIComponent(MARK)}`, 'a number is needed'],
  ['keys', `r/${KEYED}?open=*`, 'read[<b onclick=alert(1)>]'],
  ['a node by its key', `r/${KEYED}?open=*&node=${encodeURIComponent('read[<b onclick=alert(1)>]')}`, 'read[<b onclick=alert(1)>]'],
  ['a description and a tag', 'p/keyed', '<script>alert(1)</script>'],
  ['the overview', '', '<script>alert(1)</script>'],
  ['a search', `r/${HOSTILE}?view=log&lq=${encodeURIComponent(MARK)}`, MARK],
  ['an address without a page', `${encodeURIComponent(MARK)}`, MARK],
]) {
  inBrowser(`${name} is shown and never obeyed`, fixture, async (page, site) => {
    await visit(page, site, path);
    await shows(page, text);
    assert.deepEqual(await foreign(page), []);
    assert.equal(controls(await page.title()), false);
    assert.equal(await page.evaluate(() => document.body.innerText).then(controls), false, 'control characters are written out');
  }, { errors: /404/ });
}

inBrowser('what is named by an address alone comes into no title as it is', fixture, async (page, site) => {
  await page.goto(`${site.url}s/parted/${encodeURIComponent('\u202egnp.\u001b[2J')}`);
  await page.locator('main:not([aria-busy])').waitFor();
  assert.equal(controls(await page.title()), false);
}, { errors: /404/ });

inBrowser('a link is only ever an address of the page', fixture, async (page, site) => {
  for (const path of ['', `r/${HOSTILE}?node=publish&open=*`, `r/${KEYED}?open=*&view=log`, 'p/keyed/details', 'runs']) {
    await visit(page, site, path);
    assert.deepEqual(await page.locator('a[href]').evaluateAll((links, origin) => links.map(link => link.href).filter(href => !href.startsWith(`${origin}/`)), site.origin), []);
  }
});

inBrowser('a selected error is copied without what a terminal would do', fixture, async (page, site) => {
  await visit(page, site, `r/${HOSTILE}?node=publish`);
  const error = page.locator('pre.error').first();
  await error.focus();
  assert.equal(controls(await error.evaluate(node => { const range = document.createRange(); range.selectNodeContents(node); getSelection().removeAllRanges(); getSelection().addRange(range); return String(getSelection()); })), false);
  await press(page, 'Escape');
});

inBrowser('the process that serves has written nothing that its terminal would obey', fixture, async (page, site) => {
  await visit(page, site);
  await site.command({ command: 'trigger', pipeline: 'keyed', logical_date: null, params: {} });
  await site.command({ command: 'trigger', pipeline: 'parted', logical_date: null, params: {} });
  await until('a line of a body is in its log', () => site.said.some(line => line.includes(MARK)));
  assert.deepEqual(site.said.filter(controls), []);
});
