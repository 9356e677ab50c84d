// A pipeline: its tabs, its calendar and ticks, and the forms to trigger and to backfill it.
import assert from 'node:assert/strict';
import { drawn, inBrowser, press, query, tabTo, visit } from './harness/browser.mjs';
import { GOOD, example, fixture, state } from './harness/sites.mjs';
import { until } from './harness/processes.mjs';

inBrowser('its views are links, each with an address', example, async (page, site) => {
  await visit(page, site, 'p/cloud_data_pipeline');
  await page.getByRole('region', { name: 'List of runs' }).waitFor();
  for (const [name, content] of [['Calendar', '.calendar'], ['Schedule', 'table'], ['Graph', 'canvas.graph'], ['Details', 'dl.facts']]) {
    await tabTo(page, page.getByRole('navigation', { name: 'Views of the pipeline' }).getByRole('link', { name }));
    await press(page, 'Enter');
    await page.locator(`main ${content}`).first().waitFor();
    assert.ok(page.url().endsWith(`/p/cloud_data_pipeline/${name.toLowerCase()}`), page.url());
  }
  await page.getByRole('link', { name: 'daily_export' }).waitFor();
});

inBrowser('the calendar says what ran on each day and why what is missing did not', example, async (page, site) => {
  await visit(page, site, 'p/cloud_data_pipeline/calendar?month=2026-01');
  const day = date => page.locator('.day:not(.other) a').nth(date - 1);
  await until('a run is marked', async () => /success/.test(await day(20).textContent()));
  await tabTo(page, day(10));
  await press(page, 'Enter');
  const side = page.getByRole('region', { name: 'Day', exact: true });
  const told = (await site.get('calendar/cloud_data_pipeline?from=2026-01-10&to=2026-01-11')).days[0].intervals[0].why;
  assert.ok(told);
  await side.getByText(told.replaceAll('`', '')).waitFor();
  await day(20).press('Enter');
  await side.getByRole('link', { name: GOOD.split('/')[1] }).waitFor();
  await tabTo(page, side.getByRole('link', { name: 'Backfill this day …' }));
  await press(page, 'Enter');
  // Only that day.
  await until('one interval is listed', async () => (await page.getByRole('list', { name: 'Intervals' }).getByRole('listitem').count()) === 1);
  await page.goBack(); await drawn(page);
  await page.getByRole('button', { name: 'Month after' }).press('Enter');
  await page.getByRole('heading', { name: 'February 2026' }).waitFor();
  assert.equal(query(page).get('month'), '2026-02');
});

inBrowser('the ticks to come are in both zones, through a change of clock', fixture, async (page, site) => {
  await visit(page, site, 'p/parted/schedule?count=3&at=2026-03-28T00:00:00Z');
  const cells = page.getByRole('region', { name: 'Ticks' }).locator('tbody tr');
  await until('three are listed', async () => (await cells.count()) === 3);
  // The user is in Berlin, where the clock changes on the 29th.
  assert.match(await cells.nth(1).textContent(), /01:00/);
  assert.match(await cells.nth(2).textContent(), /02:00/);
  await tabTo(page, page.getByRole('spinbutton', { name: 'Ticks' }));
  await press(page, 'Control+a');
  await page.keyboard.type('5');
  await press(page, 'Tab');
  await until('five are listed', async () => (await cells.count()) === 5);
});

inBrowser('what would run is foretold, supposed by keyboard, and the address is the form', fixture, async (page, site) => {
  await visit(page, site, 'p/parted/schedule?count=3&takes=1m');
  const rows = page.getByRole('region', { name: 'What would run' }).locator('tbody tr');
  await rows.nth(2).getByText('when due').waitFor();
  await page.getByLabel('Change').selectOption('paused');
  await tabTo(page, page.getByLabel('Assumptions'));
  await page.keyboard.type('2026-01-01..');
  await press(page, 'Enter');
  await rows.last().getByText('paused').waitFor();
  assert.deepEqual(query(page).getAll('paused'), ['2026-01-01..']);
  await page.reload();
  await rows.last().getByText('paused').waitFor();
  await page.getByRole('button', { name: 'Remove 2026-01-01..' }).press('Enter');
  await rows.nth(2).getByText('when due').waitFor();
  await page.getByLabel('Assumptions').fill('soon');
  await press(page, 'Enter');
  await page.getByRole('alert').filter({ hasText: 'takes soon' }).waitFor();
}, { errors: /400/ });

inBrowser('a trigger form is made of the type, its address is the form, and mistakes are told at their fields', fixture, async (page, site) => {
  await visit(page, site, 'p/parted/trigger');
  const parts = page.getByLabel('parts'), go = page.getByRole('button', { name: 'Trigger parted …' });
  await until('what will happen is said', () => go.isEnabled());
  await tabTo(page, parts);
  await press(page, 'Control+a');
  await page.keyboard.type('300');
  const row = page.locator('.form-row', { has: parts });
  await row.getByText('at most 255').waitFor();
  assert.deepEqual([await parts.getAttribute('aria-invalid'), await go.isEnabled()], ['true', false]);
  await press(page, 'Control+a');
  await page.keyboard.type('2');
  await tabTo(page, page.getByLabel('label'));
  await press(page, 'Control+a');
  await page.keyboard.type('<i>hand</i>');
  assert.deepEqual([query(page).get('p.parts'), query(page).get('p.label')], ['2', '<i>hand</i>']);
  await page.reload(); await drawn(page);
  assert.equal(await parts.inputValue(), '2');
  await page.getByText('starts a run of parted with 3 nodes').waitFor();
  await until('it may be sent', () => go.isEnabled());
  await tabTo(page, go);
  await press(page, 'Enter');
  const yes = page.getByRole('dialog').getByRole('button', { name: 'Trigger parted' });
  await until('it may be confirmed', () => yes.isEnabled());
  await tabTo(page, yes);
  await press(page, 'Enter');
  await page.locator('.head .chip.s-success').waitFor();
  const run = decodeURIComponent(new URL(page.url()).pathname.slice('/r/'.length));
  assert.deepEqual((await site.get(`runs/${run}`)).run.params, { parts: 2, fails: false, label: '<i>hand</i>', limit: null });
});

inBrowser('a run is triggered like another one', fixture, async (page, site) => {
  await visit(page, site, 'p/parted/trigger?like=parted/manual__2026-01-06T00:00:00Z');
  assert.equal(await page.getByLabel('label').inputValue(), '<b>bold</b>');
  assert.equal(await page.getByLabel('fails').isChecked(), true);
});

inBrowser('a backfill lists its intervals before anything is queued, and runs those', example, async (page, site) => {
  await visit(page, site, 'p/cloud_data_pipeline/backfill?p.store=' + encodeURIComponent(site.store));
  await page.getByText('Choose the first day').waitFor();
  await tabTo(page, page.getByLabel('From'));
  await page.keyboard.type('01212026');
  await tabTo(page, page.getByLabel('To', { exact: true }));
  await page.keyboard.type('01222026');
  const list = page.getByRole('list', { name: 'Intervals' }).getByRole('listitem');
  await until('the intervals are listed', async () => (await list.count()) === 2);
  await list.first().getByText('left out').waitFor();
  await tabTo(page, page.getByLabel('What is run'));
  await press(page, 'End');
  const go = page.getByRole('button', { name: 'Backfill 2 intervals …' });
  await go.waitFor();
  await list.first().getByText('runs again; it was success').waitFor();
  assert.deepEqual([query(page).get('from'), query(page).get('to'), query(page).get('reprocess')], ['2026-01-21', '2026-01-22', 'all']);
  const before = (await site.get('runs?kind=backfill&pipeline=cloud_data_pipeline')).runs.length;
  await until('it may be sent', () => go.isEnabled());
  await tabTo(page, go);
  await press(page, 'Enter');
  const yes = page.getByRole('dialog').getByRole('button', { name: 'Backfill cloud_data_pipeline' });
  await until('it may be confirmed', () => yes.isEnabled());
  await tabTo(page, yes);
  await press(page, 'Enter');
  await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
  assert.deepEqual([query(page).get('pipeline'), query(page).get('kind')], ['cloud_data_pipeline', 'backfill']);
  await until('they ran', async () => { const { runs } = await site.get('runs?kind=backfill&pipeline=cloud_data_pipeline'); return runs.length >= before && runs.filter(run => /01-2[12]/.test(run.run_id)).every(run => run.state === 'success'); });
  assert.equal(await state(site, GOOD), 'success');
});

inBrowser('a pipeline that is not there is told', example, async (page, site) => {
  await page.goto(`${site.url}p/nothing`);
  await page.getByRole('alert').filter({ hasText: 'nothing' }).waitFor();
}, { errors: /404/ });
