// The served modules match the files of the folder: the same syntax, line for line, and the same rules.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { tab, visitor } from './harness/browser.mjs';
import { fixture } from './harness/sites.mjs';
import { root } from './harness/processes.mjs';

const folder = join(root, 'pipeline-runtime/src/dashboard/assets');
const served = async (site, name) => { const answer = await fetch(new URL(`assets/${name}`, site.url)); assert.equal(answer.status, 200, name); return answer.text(); };
// Node has a parser of its own, available to code that imports its internals. Places are compared by line, as columns differ.
const parse = String.raw`
  const { parse } = require('internal/deps/acorn/acorn/dist/acorn');
  const line = (key, value) => key === 'loc' ? [value.start.line, value.end.line] : key === 'start' || key === 'end' ? undefined : typeof value === 'bigint' || value instanceof RegExp ? String(value) : value;
  const of = text => JSON.stringify(parse(text, { ecmaVersion: 'latest', sourceType: 'module', locations: true }), line);
  let text = '';
  process.stdin.on('data', data => { text += data; }).on('end', () => process.stdout.write(JSON.stringify(JSON.parse(text).map(([name, a, b]) => [name, of(a) === of(b)]))));
`;

test('scripts mean what they meant, and each line is the same line', async () => {
  const site = await fixture(), pairs = [];
  for (const name of readdirSync(folder).filter(name => name.endsWith('.js'))) pairs.push([name, readFileSync(join(folder, name), 'utf8'), await served(site, name)]);
  assert.ok(pairs.length > 20);
  const same = JSON.parse(execFileSync(process.execPath, ['--expose-internals', '--no-warnings', '-e', parse], { input: JSON.stringify(pairs), maxBuffer: 1 << 24 }));
  assert.deepEqual(same.filter(([, is]) => !is), []);
  for (const [name, source, text] of pairs) {
    assert.equal(text.split('\n').length, source.split('\n').length, name);
    assert.ok(text.length < source.length, name);
  }
});

test('styles have the same rules', async () => {
  const site = await fixture(), context = await visitor({ tree: false }), page = await tab(context);
  try {
    const texts = [readFileSync(join(folder, 'app.css'), 'utf8'), await served(site, 'app.css')];
    assert.ok(texts[1].length < texts[0].length * .95);
    const [a, b] = await page.evaluate(all => all.map(text => { const sheet = new CSSStyleSheet(); sheet.replaceSync(text); return [...sheet.cssRules].map(rule => rule.cssText); }), texts), told = rules => rules.map(text => text.replace(/, +/g, ','));
    assert.ok(a.length > 100);
    // Text with a variable in it is served as it is written.
    assert.deepEqual(told(b), told(a));
  } finally { await context.close(); }
});
