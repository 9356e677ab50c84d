// Why a queued run or a tick without a run has not started: the runs that block it are links.
import assert from 'node:assert/strict';
import { inBrowser, press, tabTo, visit } from './harness/browser.mjs';
import { until } from './harness/processes.mjs';
import { limits } from './harness/sites.mjs';

const FIRST = 'scheduled__2025-12-31T23:00:00Z';

inBrowser('a queued run names its limit, links the run that holds it, and counts to when that may change', limits, async (page, site) => {
  await visit(page, site, `r/${site.queued}`);
  const why = page.locator('.note .why');
  assert.match(await why.textContent(), /^waits for its turn: max_active_runs = 1, and scheduled__2025-12-31T23:00:00Z has not ended; .*next poke \d\d:\d\d:\d\d \(in \d+ m/);
  const link = why.getByRole('link', { name: FIRST }).first();
  await tabTo(page, link);
  await press(page, 'Enter');
  await page.getByRole('heading', { name: FIRST }).waitFor();
  // The same by its key.
  await visit(page, site, `r/${site.queued}`);
  await press(page, 'w');
  await page.getByRole('heading', { name: FIRST }).waitFor();
});

inBrowser('a day of the calendar without a run names what holds it', limits, async (page, site) => {
  await visit(page, site, 'p/limited/calendar?month=2026-01&day=2026-01-02');
  const why = page.getByRole('region', { name: 'Day' }).locator('.why');
  await why.getByText('max_active_runs = 1').waitFor();
  await why.getByRole('link', { name: FIRST }).first().press('Enter');
  await page.getByRole('heading', { name: FIRST }).waitFor();
  await visit(page, site, 'p/careful/calendar?month=2026-01&day=2026-01-02');
  await page.getByRole('region', { name: 'Day' }).locator('.why', { hasText: 'depends_on_past' }).getByRole('link').press('Enter');
  await page.getByRole('heading', { name: 'scheduled__2026-01-01T00:00:00Z' }).waitFor();
});

inBrowser('the overview says that a run is held, and the pipeline why', limits, async (page, site) => {
  await visit(page, site);
  const held = page.locator('.pipes tbody tr', { hasText: 'careful' }).getByRole('link', { name: 'one is held' });
  await tabTo(page, held);
  await press(page, 'Enter');
  await page.locator('.note .why', { hasText: 'depends_on_past' }).waitFor();
});

inBrowser('a date without an offset is of the schedule’s zone, which the form says', limits, async (page, site) => {
  await visit(page, site, 'p/limited/trigger');
  await page.getByText('Europe/Berlin; if it is empty, that of the last interval that is over').waitFor();
  await page.getByLabel('Logical date').fill('2026-01-12T00:00');
  const go = page.getByRole('button', { name: 'Trigger limited …' });
  await until('it may be asked for', () => go.isEnabled());
  await go.press('Enter');
  const yes = page.getByRole('dialog').getByRole('button', { name: 'Trigger limited' });
  // A key for a button that is still disabled goes to the focused one, which cancels.
  await until('it may be confirmed', () => yes.isEnabled());
  await yes.press('Enter');
  await page.getByRole('heading', { name: 'manual__2026-01-11T23:00:00Z' }).waitFor();
  await visit(page, site, 'p/parted/trigger');
  await page.getByText('UTC; if it is empty, that of the last interval that is over').waitFor();
  await visit(page, site, 'p/waiting/trigger');
  await page.getByText('UTC; if it is empty, now').waitFor();
  await visit(page, site, 'p/limited/schedule?at=2026-01-02');
  await page.getByRole('region', { name: 'Ticks' }).getByRole('row').nth(1).getByText('Fri 2026-01-02 00:00:00 +01:00').waitFor();
});

inBrowser('what is late needs somebody, also where no record says so', limits, async (page, site) => {
  const { run } = await site.command({ command: 'trigger', pipeline: 'late', logical_date: '2026-01-05', params: {} });
  await visit(page, site);
  const need = page.locator('.needs li', { hasText: 'has missed its SLA of 1ms' });
  await need.getByRole('img', { name: 'SLA missed' }).waitFor();
  // The run's own SLA is missed after two seconds, without any event.
  await need.getByText('and 1 more').waitFor();
  await need.getByRole('link', { name: 'hurry' }).press('Enter');
  await page.getByRole('complementary', { name: 'Node' }).getByText('hurry').first().waitFor();
  assert.equal(new URL(page.url()).pathname, `/r/${run}`);
});

inBrowser('a queued run has been asked for, and has not taken any time', limits, async (page, site) => {
  await visit(page, site, 'runs?pipeline=limited&state=queued');
  const row = page.getByRole('region', { name: 'List of runs' }).getByRole('row').nth(1), cells = row.getByRole('cell');
  await row.getByText('asked for').waitFor();
  assert.equal(await cells.nth(4).textContent(), '–');
});

inBrowser('a pipeline without a schedule has no intervals, and says so without an error', limits, async (page, site) => {
  await visit(page, site, 'p/waiting');
  await page.getByRole('link', { name: 'Trigger …' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Backfill …' }).count(), 0);
  for (const tab of ['schedule', 'calendar']) {
    await visit(page, site, `p/waiting/${tab}`);
    await page.getByText('It has no schedule.').waitFor();
  }
  await visit(page, site, 'p/waiting/backfill');
  await page.getByText('It has no schedule, and so no intervals').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
});

inBrowser('a trigger shows its interval first, and that a run of it is there already', limits, async (page, site) => {
  await visit(page, site, 'p/limited/trigger?date=2026-01-01T00:00');
  await page.getByText('for the data interval 2026-01-01 00:00 +01:00 – 2026-01-02 00:00 +01:00').waitFor();
  await page.getByText('this date already has a run').waitFor();
});

inBrowser('what is supposed stays editable, and a forecast is read on a phone', limits, async (page, site) => {
  await page.setViewportSize({ width: 375, height: 800 });
  await visit(page, site, 'p/limited/schedule?set=catchup%3Dyes');
  await page.getByRole('alert').filter({ hasText: 'neither true nor false' }).waitFor();
  await page.getByRole('button', { name: 'catchup=yes', exact: true }).press('Enter');
  const text = page.getByLabel('Assumptions');
  await until('its text is back', async () => (await text.inputValue()) === 'catchup=yes');
  await text.fill('catchup=true');
  await press(page, 'Enter');
  const table = page.getByRole('region', { name: 'What would run' });
  await table.getByText('outside of').first().waitFor();
  assert.ok(await table.evaluate(node => node.scrollWidth <= node.clientWidth + 1), 'its reasons are not off the screen');
}, { errors: /400/ });
