// The overview, by keyboard: runs that need attention, the strips, and live changes.
import assert from 'node:assert/strict';
import { drawn, focused, inBrowser, press, query, tabTo, visit } from './harness/browser.mjs';
import { PIPELINES, example, fixture } from './harness/sites.mjs';
import { until } from './harness/processes.mjs';

inBrowser('the first Tab skips to the content', example, async (page, site) => {
  await visit(page, site);
  await press(page, 'Tab');
  assert.equal((await focused(page)).text, 'Skip to content');
  await press(page, 'Enter');
  assert.equal((await focused(page)).tag, 'MAIN');
});

inBrowser('each pipeline has a row, and `/` filters them', example, async (page, site) => {
  await visit(page, site);
  const names = page.locator('.pipes tbody .title');
  assert.deepEqual(await names.allTextContents(), PIPELINES);
  await press(page, '/');
  await page.keyboard.type('region');
  await until('one pipeline is left', async () => (await names.count()) === 1);
  assert.equal(query(page).get('q'), 'region');
  await page.reload(); await drawn(page);
  assert.deepEqual(await names.allTextContents(), ['multi_region_pipeline']);
});

inBrowser('a strip is one stop of Tab; arrows choose a run, and Enter opens it', example, async (page, site) => {
  await visit(page, site);
  const strip = page.getByRole('group', { name: 'runs of cloud_data_pipeline' }), runs = strip.getByRole('link');
  const last = await runs.count() - 1;
  await tabTo(page, runs.last());
  await press(page, 'Home');
  const { label } = await focused(page);
  assert.match(label, /^success · manual__2026-01-22T00:00:00Z/);
  await press(page, 'End', 'ArrowLeft');
  assert.equal((await focused(page)).label, await runs.nth(last - 1).getAttribute('aria-label'));
  const to = await runs.nth(last - 1).getAttribute('href');
  await press(page, 'Enter');
  await until('the run is open', () => page.url() === new URL(to, site.url).href);
  await page.locator('h1', { hasText: '__2026-' }).waitFor();
});

inBrowser('what fails needs somebody: what a retry would do is shown, and nothing is done without a yes', example, async (page, site) => {
  await visit(page, site);
  const need = page.locator('.needs li', { hasText: 'check_validation' });
  await need.getByRole('link', { name: 'multi_bucket_pipeline' }).waitFor();
  const acts = (await site.get('acts')).acts.length, retry = need.getByRole('button', { name: 'Retry …' });
  await tabTo(page, retry);
  await press(page, 'Enter');
  const dialog = page.getByRole('dialog', { name: 'Retry check_validation?' });
  await dialog.getByRole('listitem').filter({ hasText: 'join_customers' }).waitFor();
  // Enter does not confirm: the button to cancel has the focus.
  assert.equal((await focused(page)).text, 'Cancel');
  await press(page, 'Enter');
  await dialog.waitFor({ state: 'detached' });
  assert.equal((await focused(page)).text, 'Retry …');
  assert.equal((await site.get('acts')).acts.length, acts);
});

inBrowser('a pause is asked for and taken back by keyboard, and the page follows', fixture, async (page, site) => {
  await visit(page, site);
  await site.command({ command: 'pause', pipeline: 'parted', paused: true });
  const unpause = page.locator('.needs li', { hasText: 'parted' }).getByRole('button', { name: 'Unpause …' });
  await unpause.waitFor();
  await tabTo(page, unpause);
  await press(page, 'Enter');
  const yes = page.getByRole('dialog').getByRole('button', { name: 'Unpause parted' });
  await until('it may be confirmed', () => yes.isEnabled());
  await tabTo(page, yes);
  await press(page, 'Enter');
  await page.locator('.toast.ok').waitFor();
  await unpause.waitFor({ state: 'detached' });
  assert.equal((await site.get('overview')).pipelines.find(one => one.pipeline === 'parted').paused, false);
});

inBrowser('a run that begins is in its strip without a reload', fixture, async (page, site) => {
  await visit(page, site);
  await page.evaluate(() => { window.kept = true; });
  const runs = page.getByRole('group', { name: 'runs of keyed' }).getByRole('link'), before = await runs.count();
  await until('the page listens', () => page.locator('.light.on').count());
  await site.command({ command: 'trigger', pipeline: 'keyed', logical_date: null, params: {} });
  await until('the strip has grown', async () => (await runs.count()) === before + 1);
  await until('it has succeeded there', async () => (await runs.last().getAttribute('class')) === 's-success');
  assert.equal(await page.evaluate(() => window.kept), true);
});

inBrowser('the chart has a range, and a twin as text', example, async (page, site) => {
  await visit(page, site);
  const chart = page.locator('canvas[role=img]');
  await until('it is drawn', async () => /(\d+) runs/.test(await chart.getAttribute('aria-label') ?? ''));
  await tabTo(page, page.getByRole('button', { name: '24h' }), { back: true });
  await press(page, 'Enter');
  await until('the range is in the address', () => query(page).get('range') === '24h');
  await tabTo(page, page.getByRole('link', { name: 'as a list' }));
  await press(page, 'Enter');
  await page.getByRole('heading', { name: 'Runs' }).waitFor();
  assert.ok(Date.parse(query(page).get('since')) > Date.now() - 90_000_000);
});

inBrowser('the theme goes round by its button, and stays', example, async (page, site) => {
  await visit(page, site);
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor), light = await background();
  await page.getByRole('button', { name: 'Theme: auto' }).press('Enter');
  assert.equal(await background(), light);
  await page.getByRole('button', { name: 'Theme: light' }).press('Enter');
  const dark = await background();
  assert.notEqual(dark, light);
  await page.reload(); await drawn(page);
  assert.equal(await background(), dark);
});

inBrowser('`?` lists the shortcuts, `g r` goes to the runs, and they can be turned off', example, async (page, site) => {
  await visit(page, site);
  await press(page, '?');
  const list = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await list.waitFor();
  await press(page, 'Escape');
  await list.waitFor({ state: 'detached' });
  await press(page, 'g', 'r');
  await page.getByRole('heading', { name: 'Runs' }).waitFor();
  await press(page, '?');
  await list.getByRole('checkbox').press('Space');
  await press(page, 'Escape', 'g', 'o', '?');
  await list.waitFor();
  assert.match(page.url(), /\/runs$/);
});
