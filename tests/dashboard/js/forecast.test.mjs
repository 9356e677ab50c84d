import { test } from 'node:test';
import assert from 'node:assert/strict';
import { stretches } from '../../../pipeline-runtime/src/dashboard/assets/forecast.js';

const MINUTE = 60_000, from = Date.parse('2026-03-28T00:00:00Z'), until = from + 60 * MINUTE;
const at = minutes => new Date(from + minutes * MINUTE).toISOString();
const of = row => stretches({ begins: null, ends: null, state: 'success', ...row }, from, until).map(([kind, start, end]) => [kind, start / MINUTE, end == null ? null : end / MINUTE]);

test('a run waits from when it is due, and works from when it begins', () => {
  assert.deepEqual(of({ end: at(10), begins: at(10), ends: at(20) }), [['worked', 10, 20]]);
  assert.deepEqual(of({ end: at(10), begins: at(15), ends: at(20) }), [['queued', 10, 15], ['worked', 15, 20]]);
  assert.deepEqual(of({ end: at(10), begins: at(15), state: 'running' }), [['queued', 10, 15], ['worked', 15, null]]);
  // A run that started before the window, and one that does not end within it.
  assert.deepEqual(of({ end: at(-30), begins: at(-20), ends: at(5) }), [['worked', 0, 5]]);
  assert.deepEqual(of({ end: at(50), begins: at(55), ends: at(90) }), [['queued', 50, 55], ['worked', 55, 60]]);
});

test('what has no run has a wait at most', () => {
  assert.deepEqual(of({ end: at(10), state: 'none' }), []);
  assert.deepEqual(of({ end: at(10), state: 'queued' }), [['queued', 10, null]]);
});
