import { test } from 'node:test';
import assert from 'node:assert/strict';
import { toText, toValue, readForm } from '../../../pipeline-runtime/src/dashboard/assets/form.js';
import { option } from '../../../pipeline-runtime/src/dashboard/assets/node.js';

const fields = [
  { name: 'days', type: 'integer', min: 0, max: 255, default: 3 }, { name: 'mode', type: 'choice', choices: ['full', 'dry'], default: 'full' }, { name: 'limit', type: 'integer', min: 0, optional: true, default: 7 },
  { name: 'force', type: 'boolean', default: false }, { name: 'at', type: 'datetime', optional: true, default: null }, { name: 'labels', type: 'json', default: { a: 1 } }, { name: 'store.url', type: 'text', default: 's3://x' },
];
const read = (query, like) => readForm(fields, new URLSearchParams(query), like);

test('what the URL does not say is not sent', () => assert.deepEqual(read(''), { params: {}, errors: {} }));
test('what it says is sent as its type, nested where it is nested', () => {
  assert.deepEqual(read('p.days=10&p.force=true&p.labels=%7B%22b%22%3A2%7D&p.store.url=file:///y&p.at=2026-01-02T03:04').params, { days: 10, force: true, at: '2026-01-02T03:04:00Z', labels: { b: 2 }, store: { url: 'file:///y' } });
});
test('an emptied field is none, though it has a default', () => assert.deepEqual(read('p.limit=null').params, { limit: null }));
test('what is wrong is told at its field, and not sent', () => {
  const { params, errors } = read('p.days=400&p.mode=never&p.labels=%7B&p.limit=1.5&p.at=soon');
  assert.deepEqual(params, {});
  assert.deepEqual(Object.keys(errors), ['days', 'mode', 'limit', 'at', 'labels']);
  assert.equal(errors.days, 'at most 255');
});
test('another run stands in for the defaults', () => assert.deepEqual(read('p.mode=dry', { days: 5, store: { url: 's3://x' } }).params, { days: 5, mode: 'dry' }));
test('a value and its text are the same', () => {
  for (const [i, value] of [[0, 12], [1, 'dry'], [5, { c: [1] }]]) assert.deepEqual(toValue(fields[i], toText(fields[i], value)).value, value);
  assert.equal(toText(fields[4], '2026-01-02T03:04:05.678Z'), '2026-01-02T03:04:05', 'an input for dates has no zone');
  assert.equal(toValue(fields[4], '2026-01-02T03:04:05').value, '2026-01-02T03:04:05Z');
});
test('options are as people write them', () => {
  assert.equal(option('retry_delay', { start_ms: 120000, max_ms: 120000, factor: 1, jitter_ms: 0 }), '2 m');
  assert.equal(option('poke', { start_ms: 30000, max_ms: 600000, factor: 2, jitter_ms: 1000 }), '30 s × 2, at most 10 m, ± 1.0 s');
  assert.equal(option('timeout_ms', 600000), '10 m');
  assert.equal(option('allow_failure', false), null);
  assert.equal(option('retries', 0), '0');
  assert.equal(option('pools', [{ name: 'a', slots: 2 }, { name: 'b', after_ms: 60000, none: null }]), 'name a, slots 2; name b, after 1 m');
});
