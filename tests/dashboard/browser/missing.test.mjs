// Addresses that no page has.
import assert from 'node:assert/strict';
import { inBrowser, press, tabTo, visit } from './harness/browser.mjs';
import { example } from './harness/sites.mjs';

for (const path of ['settings', 'assets', 'nothing/at/all', 'p/cloud_data_pipeline/nothing']) {
  inBrowser(`/${path} is not found, with ways on`, example, async (page, site) => {
    await visit(page, site, path);
    await page.getByRole('heading', { name: 'Not found' }).waitFor();
    assert.match(await page.title(), /^Not found/);
    await tabTo(page, page.getByRole('main').getByRole('link', { name: 'Sensors' }));
    await press(page, 'Enter');
    await page.getByRole('heading', { name: 'Sensors', exact: true }).waitFor();
  }, { errors: /404/ });
}

inBrowser('the server says so, too: 404, and JSON to a program', example, async (page, site) => {
  assert.equal((await page.goto(`${site.url}settings`)).status(), 404);
  const answer = await fetch(`${site.url}settings`);
  assert.deepEqual([answer.status, answer.headers.get('content-type')], [404, 'application/problem+json']);
}, { errors: /404/ });
