// Each module can be imported, imports only names that exist, and stays small.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';

const assets = new URL('../../../pipeline-runtime/src/dashboard/assets/', import.meta.url);
const modules = readdirSync(assets).filter(name => name.endsWith('.js'));

for (const name of modules) {
  const text = readFileSync(new URL(name, assets), 'utf8');
  test(`${name} is at most 300 lines and writes no markup`, () => {
    assert.ok(text.split('\n').length <= 300);
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|style: [`']|'style'/);
  });
  // The shell draws itself when it is imported, and live.js needs a browser's channel; all others can be imported anywhere.
  if (name !== 'app.js' && name !== 'live.js') test(`${name} can be read`, () => import(new URL(name, assets)));
}
test('every import names something that its module has', async () => {
  for (const name of modules) {
    for (const [, names, from] of readFileSync(new URL(name, assets), 'utf8').matchAll(/import \{ ([^}]+) \} from '\.\/([a-z]+\.js)'/g)) {
      const exported = readFileSync(new URL(from, assets), 'utf8');
      for (const one of names.split(', ')) assert.match(exported, new RegExp(`export (async )?(const|class|function) ${one}\\b`), `${name}: ${one} of ${from}`);
    }
  }
});
test('every module that is loaded on demand is there', () => {
  for (const name of modules) for (const [, to] of readFileSync(new URL(name, assets), 'utf8').matchAll(/import\('\.\/([^']+)'\)/g)) assert.ok(modules.includes(to), `${name}: ${to}`);
});
