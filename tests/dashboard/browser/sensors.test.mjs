// All waiting sensors, and one of them over its runs.
import assert from 'node:assert/strict';
import { inBrowser, press, query, tabTo, visit } from './harness/browser.mjs';
import { WAITS, example, fixture } from './harness/sites.mjs';
import { until } from './harness/processes.mjs';

inBrowser('what waits is listed with what it looks for and what is left of its budget', example, async (page, site) => {
  await visit(page, site, 'sensors');
  const row = page.getByRole('row').filter({ hasText: WAITS.split('/')[1] });
  const told = (await site.get('sensors')).waiting.find(one => one.run === WAITS);
  assert.match(told.looks, /^\w+:\/\/.*, raw\/daily_export_\d{8}\.json$/);
  await row.getByText(told.looks).waitFor();
  assert.match(await row.textContent(), /in \d+ (s|m).* of 10 m/);
  await press(page, '/');
  await page.keyboard.type('no such sensor');
  await page.getByText('No sensor matches.').waitFor();
  await page.getByLabel('Filter sensors').fill('');
  await row.waitFor();
});

inBrowser('a sensor is reached by keyboard, and has a chart with its table', example, async (page, site) => {
  await visit(page, site, 'sensors');
  await tabTo(page, page.getByRole('link', { name: 'daily_export', exact: true }).first());
  await press(page, 'Enter');
  await page.getByRole('heading', { name: 'daily_export' }).waitFor();
  const chart = page.locator('svg.histogram');
  await chart.waitFor();
  const { runs, timeout_ms: timeout } = await site.get('sensors/cloud_data_pipeline?node=daily_export&runs=90');
  assert.equal(timeout, 600_000);
  assert.match(await chart.getAttribute('aria-label'), /timeout 10 m/);
  assert.equal(await page.getByRole('region', { name: 'List of runs' }).getByRole('row').count(), runs.length + 1);
  // Its files have the time of their arrival: the chart and the table show it beside the time at which they were seen.
  const arrived = runs.filter(run => run.arrived);
  assert.ok(arrived.length >= 3);
  assert.match(await chart.getAttribute('aria-label'), /half were seen within .* of their arrival/);
  assert.ok(await chart.locator('rect.arrived').count() >= 1);
  await page.getByRole('columnheader', { name: 'Unseen for' }).waitFor();
  await tabTo(page, page.getByRole('combobox', { name: 'Runs' }));
  await press(page, 'ArrowUp');
  await until('the number is in the address', () => query(page).get('runs') === '30');
});

inBrowser('a sensor that is skipped no longer waits, without a reload', fixture, async (page, site) => {
  const date = '2026-01-09T00:00:00Z', run = `waiting/manual__${date}`;
  await site.command({ command: 'trigger', pipeline: 'waiting', logical_date: date, params: {} });
  await visit(page, site, 'sensors');
  const row = page.getByRole('row').filter({ hasText: date });
  await row.waitFor();
  await site.command({ command: 'skip', run, node: 'arrival' });
  await row.waitFor({ state: 'detached' });
});
