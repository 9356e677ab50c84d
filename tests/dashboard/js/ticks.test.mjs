import { test } from 'node:test';
import assert from 'node:assert/strict';
import { offsetTicks, offsetText, timeTicks, durationTicks, logBounds, bins } from '../../../pipeline-runtime/src/dashboard/assets/ticks.js';
import { weeks, otherMonth } from '../../../pipeline-runtime/src/dashboard/assets/calendar.js';
import { axis } from '../../../pipeline-runtime/src/dashboard/assets/sensor.js';

test('ticks are round and have room', () => {
  assert.deepEqual(offsetTicks(0, 12.5 * 60000, 450).map(tick => tick.text), ['0', '5 m', '10 m']);
  for (const span of [7, 130, 4e3, 6e5, 4e7, 9e9]) for (const width of [90, 450, 1500]) assert.ok(offsetTicks(0, span, width).length <= width / 90 + 1.01, `${span} on ${width}`);
});
test('an offset is as fine as its step needs', () => {
  assert.equal(offsetText(90000, 30000), '1:30');
  assert.equal(offsetText(3600000, 1800000), '1:00');
  assert.equal(offsetText(3600000, 3600000), '1 h');
  assert.equal(offsetText(1250, 250), '1.25 s');
  assert.equal(offsetText(2 * 864e5, 864e5), '2 d');
});
test('dates stand on the hours of their zone', () => {
  const from = Date.parse('2026-03-01T00:00:00Z');
  assert.ok(timeTicks(from, from + 864e5, 800, 3600e3).every(tick => (tick.at + 3600e3) % 3600e3 === 0));
  assert.equal(timeTicks(from, from + 864e5, 400)[0].text, '03-01');
});
test('a logarithmic axis holds all values, also of an empty list', () => {
  const [least, most] = logBounds([0, 5, 60000]);
  assert.ok(least <= 5 && most >= 60000 && least > 0);
  assert.ok(logBounds([])[0] > 0);
  assert.ok(durationTicks(300000, 1500000).length >= 3);
});
test('what lies beyond the last bin is in it', () => assert.deepEqual(bins([0, 5, 10, 99], 10, 2), [1, 3]));
test('a month is whole weeks that begin on Monday', () => {
  const all = weeks('2026-11');
  assert.equal(all[0][0], '2026-10-26');
  assert.equal(all.at(-1)[6], '2026-12-06');
  assert.ok(all.flat().includes('2026-11-30'));
  assert.deepEqual([weeks('2027-02').length, weeks('2027-02')[0][0]], [4, '2027-02-01']);
  assert.deepEqual([otherMonth('2026-12', 1), otherMonth('2026-01', -1)], ['2027-01', '2025-12']);
});
test('a histogram has a bin a poke while those are few', () => {
  assert.equal(axis([1000], 45000, 600000).count, 14);
  assert.equal(axis([1000], 10, 600000).count, 32);
});
