// What the Gantt draws. Run by `node --test tests/dashboard/js`.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { bars, sums, sentence, zoomed, panned, readZoom, writeZoom, rowsSeen, scrollFor, TALLEST } from '../../../pipeline-runtime/src/dashboard/assets/spans.js';

const view = { from: 0, until: 1000, width: 100, now: 1000 };

test('a bar stands where its time is, and is cut at the edge of what is seen', () => {
  const [bar] = bars([[0, 500, 2000, 1]], view);
  assert.deepEqual([bar.x, bar.w, bar.until], [50, 50, 2000]);
  assert.deepEqual(bars([[0, 1500, 2000, 1]], view), []);
});
test('bars of a kind that nearly touch are one, and count together', () => {
  const out = bars([[1, 0, 5, 1], [2, 5, 10, 1], [1, 10, 15, 1], [2, 15, 20, 1]], view);
  assert.deepEqual(out.map(bar => [bar.kind, bar.count]), [[2, 2], [1, 2]], 'pokes lie on top of the wait');
});
test('a hundred thousand pokes become no more bars than there are pixels', () => {
  const spans = Array.from({ length: 100000 }, (_, i) => [1, i * 10, i * 10 + 1, 1]);
  assert.ok(bars(spans, { from: 0, until: 1e6, width: 800, now: 1e6 }).length <= 800);
});
test('nothing is too short to be seen, nor does it leave the drawing', () => {
  const [bar] = bars([[0, 999.9, 1000, 1]], view);
  assert.equal(bar.w, 2);
  assert.ok(bar.x + bar.w <= 100);
});
test('an open span ends now', () => {
  const [bar] = bars([[0, 200, null, 1]], { ...view, now: 700 });
  assert.deepEqual([bar.open, bar.until], [true, 700]);
  assert.deepEqual(sums([[0, 200, null, 1], [4, 0, 200, 1]], 700), [500, 0, 0, 0, 200, 0]);
  assert.deepEqual(sums([[0, 200, null, 1]], 100), [0, 0, 0, 0, 0, 0], 'a clock that lags makes no negative time');
});
test('an attempt that ended with a failure is bad, the next one is not', () => {
  const out = bars([[0, 0, 100, 1], [3, 100, 500, 1], [0, 500, 900, 1]], { ...view, failures: [100] });
  assert.deepEqual(out.filter(bar => bar.kind === 0).map(bar => bar.bad), [true, false]);
});
test('a row says itself', () => {
  const row = { spans: [[0, 0, 11000, 1], [3, 11000, 71000, 1]], attempts: 2, pokes: 0, elements: null };
  assert.equal(sentence(row, 71000, state => state, ms => `${ms / 1000} s`), 'worked 11 s, waited for a retry 60 s, 2 attempts');
  assert.equal(sentence({ spans: [] }, 0, String, String), 'has not begun');
});
test('zooming keeps the instant below the pointer, and stays within the run', () => {
  assert.deepEqual(zoomed([0, 1000], .5, 250, 1000), [125, 625]);
  assert.deepEqual(zoomed([0, 1000], 4, 500, 1000), [0, 1000]);
  assert.deepEqual(zoomed([900, 1000], 2, 1000, 1000), [800, 1000]);
  assert.deepEqual(panned([0, 100], -50, 1000), [0, 100]);
  assert.deepEqual(panned([850, 950], 500, 1000), [900, 1000]);
});
test('a zoom survives its URL; what is none is left out', () => {
  assert.deepEqual(readZoom(writeZoom([100, 900], 1000), 1000), [100, 900]);
  assert.equal(writeZoom([0, 1000], 1000), null);
  for (const text of [null, '', 'a-b', '5', '900-100', '2000-3000']) assert.equal(readZoom(text, 1000), null);
});
test('only the rows that are seen are made, also of a million', () => {
  const seen = rowsSeen(2600, 260, 100000, 26, 0);
  assert.deepEqual([seen.first, seen.end, seen.shift], [100, 110, 0]);
  const end = rowsSeen(TALLEST - 260, 260, 1e6, 26, 0);
  assert.equal(end.end, 1e6);
  assert.ok(end.tall <= TALLEST);
  assert.ok(Math.abs((end.end - 1) * 26 + end.shift - (TALLEST - 26)) < 1, 'the last row stands at the end of the drawing');
});
test('going to a row brings it into sight, and does not move if it is there', () => {
  assert.equal(scrollFor(5, 0, 260, 100, 26), 0);
  assert.equal(scrollFor(50, 0, 260, 100, 26), 51 * 26 - 260);
  assert.equal(scrollFor(3, 500, 260, 100, 26), 78);
  for (const index of [0, 1234, 500000, 999999]) {
    const scroll = scrollFor(index, 7e6, 260, 1e6, 26), seen = rowsSeen(scroll, 260, 1e6, 26, 0);
    assert.ok(seen.first <= index && index < seen.end, `row ${index} is in ${seen.first}..${seen.end}`);
  }
});
