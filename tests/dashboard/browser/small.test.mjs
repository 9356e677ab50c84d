// Pools, acts and the system.
import assert from 'node:assert/strict';
import { drawn, inBrowser, press, visit } from './harness/browser.mjs';
import { WAITS, example, fixture } from './harness/sites.mjs';
import { until } from './harness/processes.mjs';

inBrowser('pools have what the API has', example, async (page, site) => {
  await visit(page, site, 'pools');
  const { pools } = await site.get('pools');
  assert.deepEqual(await page.locator('main section h2').allTextContents(), pools.map(pool => pool.pool));
  const [used] = pools.flatMap(pool => pool.used).filter(one => one.run === WAITS);
  if (used) await page.getByRole('link', { name: used.node }).first().waitFor();
});

inBrowser('an act is told as it is done: who, what, and the answer', fixture, async (page, site) => {
  await visit(page, site, 'acts');
  await until('the page listens', () => page.locator('.light.on').count());
  await site.command({ command: 'pause', pipeline: 'waiting', paused: true }).catch(() => null);
  await site.command({ command: 'pause', pipeline: 'parted', paused: true });
  const row = page.getByRole('row').filter({ hasText: 'pause parted' }).first();
  await row.waitFor();
  assert.match(await row.textContent(), /ada/);
  assert.equal(await row.getByRole('img').getAttribute('aria-label'), 'success');
  await site.command({ command: 'pause', pipeline: 'parted', paused: false });
});

inBrowser('the system page has the journal and the process, and `g` goes from one to the next', example, async (page, site) => {
  await visit(page, site, 'system');
  const system = await site.get('system');
  for (const text of [system.journal.name, `process ${system.pid}`, system.version]) await page.getByText(text).first().waitFor();
  await press(page, 'g', 'p');
  await page.getByRole('heading', { name: 'Pools', exact: true }).waitFor();
  await press(page, 'g', 'a');
  await page.getByRole('heading', { name: 'Acts', exact: true }).waitFor();
  await page.goBack(); await drawn(page);
  await page.getByRole('heading', { name: 'Pools', exact: true }).waitFor();
});
