import { test } from 'node:test';
import assert from 'node:assert/strict';
import { splitArrival, withArrival, sentence } from '../../../pipeline-runtime/src/dashboard/assets/what-if.js';

test('an arrival is split at its last sign, as keys hold them too', () => {
  assert.deepEqual(splitArrival('export=+20m'), ['export', '+20m']);
  assert.deepEqual(splitArrival('wait[a=b]=5m'), ['wait[a=b]', '5m']);
  assert.deepEqual(splitArrival('export'), ['export', '']);
});

test('a sensor has one arrival, or none', () => {
  assert.deepEqual(withArrival(['a=1m', 'b=2m'], 'a', '3m'), ['b=2m', 'a=3m']);
  assert.deepEqual(withArrival(['a=1m', 'b=2m'], 'a', ''), ['b=2m']);
});

test('how a run came out stands beside how it would have', () => {
  const of = (state, end_ms) => ({ state, end_ms });
  assert.equal(sentence(of('success', 461000), of('success', 1661000)), 'success after 7 m 41 s; here success after 27 m 41 s, 20 m later');
  assert.equal(sentence(of('success', 461000), of('success', 401000)), 'success after 7 m 41 s; here success after 6 m 41 s, 1 m sooner');
  assert.equal(sentence(of('failed', 461000), of('unknown', null)), 'failed after 7 m 41 s; here unknown');
  assert.equal(sentence(of('success', 1000), of('success', 1800)), 'success after 1.0 s; here success after 1.8 s');
});
