// Two runs side by side.
import assert from 'node:assert/strict';
import { inBrowser, press, query, tabTo, visit } from './harness/browser.mjs';
import { HOSTILE, MAPPED, fixture } from './harness/sites.mjs';

inBrowser('params and nodes that differ are listed', fixture, async (page, site) => {
  await visit(page, site, `compare?a=${MAPPED}&b=${HOSTILE}`);
  const params = page.getByRole('region', { name: 'List of parameters' });
  await params.getByRole('row', { name: 'label plain <b>bold</b>' }).waitFor();
  const publish = page.getByRole('region', { name: 'List of nodes' }).getByRole('row').filter({ hasText: 'publish' });
  assert.deepEqual(await publish.getByRole('img').evaluateAll(marks => marks.map(mark => mark.getAttribute('aria-label'))), ['success', 'failed']);
  // Its state has changed, so that it is not said to be faster or slower.
  assert.equal(await publish.locator('.meter').count(), 0);
  await page.getByRole('link', { name: 'all', exact: true }).press('Enter');
  await page.getByRole('heading', { name: 'All nodes' }).waitFor();
  assert.equal(query(page).get('all'), '1');
});

inBrowser('runs are named by hand, and one that is not there is told', fixture, async (page, site) => {
  await visit(page, site, 'compare');
  await page.getByText('Name two runs').waitFor();
  await tabTo(page, page.getByLabel('A', { exact: true }));
  await page.keyboard.type(MAPPED);
  await press(page, 'Tab');
  await page.keyboard.type('parted/nothing');
  await press(page, 'Tab');
  await page.getByRole('alert').filter({ hasText: 'the journal has no run parted/nothing' }).waitFor();
  await page.getByLabel('B', { exact: true }).fill(HOSTILE);
  await page.keyboard.press('Tab');
  await page.getByText('Parameters that differ').waitFor();
}, { errors: /404/ });
