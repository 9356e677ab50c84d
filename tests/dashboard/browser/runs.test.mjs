// The list of runs: its filters are in its address, and two runs can be picked to compare.
import assert from 'node:assert/strict';
import { inBrowser, press, query, tabTo, visit } from './harness/browser.mjs';
import { example, fixture } from './harness/sites.mjs';
import { until } from './harness/processes.mjs';

const ids = page => page.locator('.runs tbody a.mono').allTextContents();

inBrowser('it has what the API has, and filters by keyboard', example, async (page, site) => {
  await visit(page, site, 'runs');
  const all = (await site.get('runs?limit=50')).runs;
  assert.deepEqual(await ids(page), all.map(run => run.run_id));
  await tabTo(page, page.getByLabel('State'));
  await page.keyboard.type('failed');
  await until('the state is in the address', () => query(page).get('state') === 'failed');
  const failed = all.filter(run => run.state === 'failed').map(run => run.run_id);
  assert.ok(failed.length > 0);
  await until('the failed ones are left', async () => JSON.stringify(await ids(page)) === JSON.stringify(failed));
  await tabTo(page, page.getByRole('button', { name: 'Clear' }));
  await press(page, 'Enter');
  await until('all are there again', async () => (await ids(page)).length === all.length);
  assert.equal(new URL(page.url()).search, '');
});

inBrowser('a filter without a match says so, and back goes back', example, async (page, site) => {
  await visit(page, site, 'runs');
  const before = (await ids(page)).length;
  await press(page, '/');
  await page.keyboard.type('nothing\n');
  await page.getByText('No run matches.').waitFor();
  await page.goBack();
  await until('the list is back', async () => (await ids(page)).length === before);
});

inBrowser('two are picked and compared by keyboard', example, async (page, site) => {
  await visit(page, site, 'runs?pipeline=cloud_data_pipeline&state=success');
  const boxes = page.getByRole('checkbox');
  await tabTo(page, boxes.nth(0));
  await press(page, 'Space');
  await page.getByText('Pick one more to compare').waitFor();
  await tabTo(page, boxes.nth(1));
  await press(page, 'Space');
  const compare = page.getByRole('link', { name: 'Compare 2 runs' });
  await compare.waitFor();
  await tabTo(page, compare, { back: true });
  await press(page, 'Enter');
  await page.getByRole('heading', { name: 'Compare two runs' }).waitFor();
  await page.getByRole('region', { name: 'List of parameters' }).or(page.getByText('None.')).first().waitFor();
  assert.equal(page.heard.requests.filter(url => url.includes('/compare?')).length, 1);
});

inBrowser('times are of the reader, or UTC', example, async (page, site) => {
  await visit(page, site, 'runs?pipeline=cloud_data_pipeline&state=success');
  const data = () => page.locator('.runs tbody tr').last().locator('time').last().textContent();
  assert.match(await data(), /01:00$/);
  await page.getByRole('button', { name: 'Local' }).press('Enter');
  await until('it is UTC', async () => / 00:00$/.test(await data()));
});

inBrowser('all runs of a filter are cancelled at once, after their number is typed', fixture, async (page, site) => {
  for (const day of ['11', '12']) await site.command({ command: 'trigger', pipeline: 'waiting', logical_date: `2026-02-${day}`, params: {} });
  await visit(page, site, 'runs?pipeline=waiting&kind=manual');
  await tabTo(page, page.getByRole('button', { name: 'Cancel all …' }));
  await press(page, 'Enter');
  const dialog = page.getByRole('dialog'), yes = dialog.getByRole('button', { name: 'Cancel all' }), listed = dialog.getByRole('list', { name: 'Runs' }).getByRole('listitem');
  await listed.first().waitFor();
  const count = await listed.count();
  assert.ok(count >= 2);
  assert.equal(await yes.isEnabled(), false);
  await dialog.getByLabel(`Type ${count} to confirm`).fill(String(count));
  await tabTo(page, yes);
  await press(page, 'Enter');
  await page.getByRole('status').filter({ hasText: `${count} of ${count} runs are cancelled` }).waitFor();
  await until('all are cancelled', async () => (await site.get('runs?pipeline=waiting&kind=manual')).runs.every(run => run.state === 'cancelled'));
});
