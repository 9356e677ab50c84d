import { test } from 'node:test';
import assert from 'node:assert/strict';
import { duration, plain, bytes, dateText, ServerClock, link, runLink, splitRun, label } from '../../../pipeline-runtime/src/dashboard/assets/base.js';
import { hits } from '../../../pipeline-runtime/src/dashboard/assets/log.js';
import { fit } from '../../../pipeline-runtime/src/dashboard/assets/graph.js';
import { byDifference, later } from '../../../pipeline-runtime/src/dashboard/assets/compare.js';
import { left } from '../../../pipeline-runtime/src/dashboard/assets/sensors.js';
import { words, newKey } from '../../../pipeline-runtime/src/dashboard/assets/actions.js';

test('durations have two units at most', () => {
  const told = [[0, '0 ms'], [850, '850 ms'], [4200, '4.2 s'], [9960, '10 s'], [41000, '41 s'], [447000, '7 m 27 s'], [420000, '7 m'], [63960000, '17 h 46 m'], [273600000, '3 d 4 h'], [-5000, '−5.0 s'], [null, '–'], [NaN, '–']];
  for (const [ms, text] of told) assert.equal(duration(ms), text);
  assert.equal(duration(59999), '1 m', 'no sixty seconds');
  assert.equal(bytes(111e6), '111 MB');
});
test('a date leaves out the day that it is', () => {
  const at = new Date('2026-03-04T05:06:07.089Z');
  assert.equal(dateText(at, 'milli', true), '2026-03-04 05:06:07.089');
  assert.equal(dateText(at, 'minute', true, new Date('2026-03-04T23:00:00Z')), '05:06');
  assert.equal(dateText(at, 'minute', true, new Date('2026-04-04T23:00:00Z')), '03-04 05:06');
});
test('the clock is the server’s: ahead, faster, or standing', () => {
  const clock = new ServerClock(), start = Date.parse('2030-01-01T00:00:00Z');
  clock.hear('2030-01-01T00:00:00Z', 0);
  assert.equal(clock.now(500), start + 500);
  clock.hear('2030-01-01T00:00:20Z', 1000);
  assert.equal(clock.rate, 20);
  assert.equal(clock.now(1500), start + 30000);
  clock.stop(2000);
  assert.equal(clock.now(9000), clock.now(2000));
  clock.hear('no date', 9000);
  assert.equal(clock.now(9000), clock.now(2000));
});
test('links keep what ids are made of', () => {
  const run = 'exports/scheduled__2026-01-01T00:00:00+00:00';
  assert.deepEqual(splitRun(run), ['exports', 'scheduled__2026-01-01T00:00:00+00:00']);
  const to = new URL(runLink(run, { node: 'upload[3]/x?', open: ['a', 'b'], gone: null }), 'http://h/x/y/');
  assert.equal(to.pathname.split('/').map(decodeURIComponent).slice(-2).join('/'), run);
  assert.equal(to.pathname.slice(0, 5), '/x/y/', 'a prefix stays');
  assert.deepEqual([to.searchParams.get('node'), to.searchParams.getAll('open'), to.searchParams.has('gone')], ['upload[3]/x?', ['a', 'b'], false]);
  assert.equal(link([]), '.');
});
test('a log line can play no tricks', () => {
  assert.equal(plain('\u001b[1;32mgreen\u001b[0m'), 'green');
  assert.equal(plain('\u001b]8;;http://x\u0007link\u001b]8;;\u0007'), 'link');
  assert.equal(plain('a\u202Eb\u0000c\td'), 'a⟨U+202E⟩b␀c\td');
});
test('hits are found without case, and the rest stays', () => {
  assert.deepEqual(hits('Slow down, slow', 'slow'), ['', 'Slow', ' down, ', 'slow', '']);
  assert.deepEqual(hits('text', ''), ['text']);
  assert.equal(hits('aXbXc', 'x').join(''), 'aXbXc');
});
test('a drawing fits, and a small one is not blown up', () => {
  assert.equal(fit(100, 50, 1000, 500).scale, 1.25);
  const { scale, x } = fit(10000, 100, 1032, 500);
  assert.ok(Math.abs(scale - .1) < 1e-9 && x >= 0);
});
test('a changed state comes first, then the largest difference; a node that did not run in both has none', () => {
  const node = (node, a_ms, b_ms, b_state = 'success') => ({ node, a_ms, b_ms, a_state: 'success', b_state });
  const all = [node('a', 5, 6), node('b', null, 100), node('c', 50, 0), node('d', 300000, 2, 'failed')];
  assert.deepEqual(byDifference(all).map(one => one.node), ['d', 'c', 'a', 'b']);
  assert.deepEqual(all.map(later), [1, null, -50, -299998]);
});
test('a budget burns down to nothing, not below', () => {
  const one = { deadline: '2026-01-01T00:10:00Z', budget_ms: 600000 }, at = Date.parse('2026-01-01T00:05:00Z');
  assert.equal(left(one, at), .5);
  assert.equal(left(one, at + 1e9), 0);
  assert.equal(left({ deadline: null }, at), null);
});
test('a button names the thing, and each dialog has a key of its own', () => {
  assert.equal(words({ command: 'cancel', run: 'p/manual__1' }).yes, 'Cancel manual__1');
  assert.equal(words({ command: 'retry', run: 'p/r', nodes: ['process'] }).yes, 'Retry process');
  assert.equal(words({ command: 'pause', pipeline: 'p', paused: false }).yes, 'Unpause p');
  assert.match(newKey(), /^[0-9a-f]{32}$/);
  assert.notEqual(newKey(), newKey());
  assert.equal(label('up_for_retry'), 'waits for a retry');
});
