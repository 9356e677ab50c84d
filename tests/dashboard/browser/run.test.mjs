// A run: its head, its Gantt as a treegrid, the drawer of a node, time travel, and its other views; by keyboard.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawn, findings, focused, inBrowser, press, query, tab, tabTo, visit } from './harness/browser.mjs';
import { BAD, GOOD, HOSTILE, LATE, MAPPED, WAITS, example, fixture, state } from './harness/sites.mjs';
import { until } from './harness/processes.mjs';
import { plain } from '../../../pipeline-runtime/src/dashboard/assets/base.js';

const grid = page => page.getByRole('treegrid', { name: 'Nodes over time' });
const rows = page => page.locator('.g-body .g-row .g-name .mono').allTextContents();
const at = async page => { const id = await grid(page).getAttribute('aria-activedescendant'); return id && page.locator(`#${id} .mono`).textContent(); };
const shown = (page, count) => until(`${count} rows are drawn`, async () => (await rows(page)).length === count);

inBrowser('it says why it waits, and `w` opens the node behind it', example, async (page, site) => {
  await visit(page, site, `r/${WAITS}`);
  const why = page.locator('.note .why').first(), { why: told } = await site.get(`runs/${WAITS}`);
  await why.waitFor();
  assert.ok(told.root.node === 'daily_export' && (await why.textContent()).includes('daily_export'));
  await press(page, 'w');
  const drawer = page.getByRole('complementary', { name: 'Node' });
  await drawer.getByRole('heading', { name: 'daily_export' }).waitFor();
  assert.equal(query(page).get('node'), 'daily_export');
  assert.match(await drawer.textContent(), /waits for data.*budget ends in/);
});

inBrowser('its title says how it went, and its times add up to six kinds', example, async (page, site) => {
  await visit(page, site, `r/${GOOD}`);
  assert.match(await page.title(), /^✓ cloud_data_pipeline backfill__2026-01-20/);
  assert.deepEqual(await page.locator('.went dt').allTextContents(), ['worked', 'poked', 'waited for data', 'waited for a retry', 'queued', 'no process had the run']);
  const path = (await site.get(`runs/${GOOD}`)).critical_path.map(step => step.node);
  assert.deepEqual(await page.locator('.path a').allTextContents(), path);
});

inBrowser('the Gantt is walked by arrows, and Enter opens a node', example, async (page, site) => {
  await visit(page, site, `r/${GOOD}`);
  const order = (await site.get(`runs/${GOOD}/nodes`)).rows.map(row => row.node);
  await shown(page, order.length);
  assert.deepEqual(await rows(page), order);
  assert.equal(await grid(page).getAttribute('aria-rowcount'), String(order.length + 1));
  await tabTo(page, grid(page));
  await until('a row is current', async () => (await at(page)) === order[0]);
  await press(page, 'ArrowDown', 'ArrowDown');
  assert.equal(await at(page), order[2]);
  await press(page, 'End');
  assert.equal(await at(page), order.at(-1));
  await press(page, 'Home', 'Enter');
  const drawer = page.getByRole('complementary', { name: 'Node' });
  await drawer.getByRole('heading', { name: order[0] }).waitFor();
  assert.equal(await page.locator('.g-row[aria-selected=true] .mono').textContent(), order[0]);
  // Each row has a sentence for users who cannot see its bars.
  assert.match(await page.locator('.g-body .g-bars').nth(1).getAttribute('aria-label'), /^worked \d/);
  await press(page, 'x');
  await drawer.waitFor({ state: 'hidden' });
  assert.equal(query(page).get('node'), null);
});

inBrowser('a mapping unfolds and folds by arrows, and the address keeps it', fixture, async (page, site) => {
  await visit(page, site, `r/${MAPPED}`);
  await shown(page, 3);
  await tabTo(page, grid(page));
  await press(page, 'ArrowDown', 'ArrowRight');
  await shown(page, 6);
  assert.deepEqual((await rows(page)).slice(2, 5), ['upload[0]', 'upload[1]', 'upload[2]']);
  assert.equal(await page.locator('.g-row.elem').first().getAttribute('aria-level'), '2');
  await page.reload(); await drawn(page);
  await shown(page, 6);
  await tabTo(page, grid(page));
  await press(page, 'Home', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowLeft');
  assert.equal(await at(page), 'each(upload)');
  await press(page, 'ArrowLeft');
  await shown(page, 3);
});

inBrowser('it zooms about time by keys, filters by state, and finds', fixture, async (page, site) => {
  // A run that waits: one of a few milliseconds is too short to zoom into.
  await visit(page, site, `r/${LATE}`);
  await shown(page, 2);
  await tabTo(page, grid(page));
  await press(page, '+');
  assert.match(query(page).get('zoom'), /^\d+-\d+$/);
  const before = query(page).get('zoom');
  await press(page, 'Shift+ArrowRight');
  assert.notEqual(query(page).get('zoom'), before);
  await press(page, '0');
  assert.equal(query(page).get('zoom'), null);
  await tabTo(page, page.getByRole('combobox', { name: 'State' }), { back: true });
  await page.keyboard.type('failed');
  await page.getByText('No node matches.').waitFor();
  await press(page, 'Home');
  await shown(page, 2);
  await press(page, 'Escape', '/');
  await page.getByLabel('Find a node').focus();
  await page.keyboard.type('loa');
  await shown(page, 1);
});

inBrowser('a failed node tells its attempts and its error; an attempt and a log line have addresses', fixture, async (page, site) => {
  await visit(page, site, `r/${HOSTILE}?node=publish`);
  const drawer = page.getByRole('complementary', { name: 'Node' });
  await drawer.getByRole('heading', { name: 'Attempts (2)' }).waitFor();
  const { attempts } = await site.get(`runs/${HOSTILE}/node?id=publish`);
  await drawer.getByRole('link', { name: '#2' }).press('Enter');
  assert.equal(query(page).get('attempt'), '2');
  await until('the attempt is marked', () => drawer.locator('[data-attempt="2"].at').count());
  assert.equal(await drawer.locator('pre.error').nth(1).textContent(), plain(attempts[1].error));
  await drawer.locator('[data-attempt="2"]').getByRole('link', { name: 'log' }).press('Enter');
  const lines = page.locator('.lines .l');
  const told = (await site.get(`runs/${HOSTILE}/logs?node=publish&attempt=2`)).lines;
  // Not the lines of the whole run, and no line twice.
  await until('the log has the lines of that attempt alone', async () => (await lines.count()) === told.length);
  await lines.last().getByRole('link', { name: /^Line/ }).press('Enter');
  assert.equal(query(page).get('line'), String(told.at(-1).number));
  await page.reload(); await drawn(page);
  await page.locator(`.l.at[data-n="${told.at(-1).number}"]`).waitFor();
});

inBrowser('an output is shown, and to be had as a file', example, async (page, site) => {
  await visit(page, site, `r/${GOOD}?node=process`);
  const drawer = page.getByRole('complementary', { name: 'Node' });
  const text = await drawer.getByLabel('Output', { exact: true }).textContent();
  const whole = await (await fetch(new URL(`api/v1/runs/${GOOD}/output?id=process`, site.url))).json();
  assert.deepEqual(JSON.parse(text), whole);
  const [file] = await Promise.all([page.waitForEvent('download'), drawer.getByRole('link', { name: 'Download' }).click()]);
  assert.equal(file.suggestedFilename(), 'output.json');
});

inBrowser('time travel: brackets step by records, the address holds one, and `.` goes back', example, async (page, site) => {
  await visit(page, site, `r/${GOOD}`);
  const { records } = await site.get(`runs/${GOOD}`);
  await page.getByRole('slider', { name: 'Record' }).waitFor();
  await press(page, '[');
  await until('a record is in the address', () => query(page).get('record') === String(records.last - 1));
  await page.getByText('as of then').waitFor();
  const slider = page.getByRole('slider', { name: 'Record' });
  await tabTo(page, slider);
  await press(page, 'Home');
  await until('it is the first', () => query(page).get('record') === '1');
  const first = (await site.get(`runs/${GOOD}/nodes?record=1`)).rows.map(row => row.state);
  const states = () => page.locator('.g-body .g-name .mark').evaluateAll(marks => marks.map(mark => mark.classList[1].slice(2)));
  await until('all nodes are as they were then', async () => JSON.stringify(await states()) === JSON.stringify(first));
  await page.reload(); await drawn(page);
  await until('and are so by the address alone', async () => JSON.stringify(await states()) === JSON.stringify(first));
  await press(page, '.');
  await until('the end is shown', async () => query(page).get('record') == null && (await states()).every(one => one === 'success'));
});

inBrowser('the records are listed, and one of them is a place in time', example, async (page, site) => {
  await visit(page, site, `r/${GOOD}?view=records`);
  const told = (await site.get(`runs/${GOOD}/records?limit=500`)).records, table = page.getByRole('region', { name: 'Records' });
  await until('all are there', async () => (await table.locator('tbody tr').count()) === told.length);
  await tabTo(page, table.getByRole('link', { name: 'Record 3', exact: true }));
  await press(page, 'Enter');
  await page.getByText('as of then').waitFor();
  // The head is drawn before the list is read again.
  await until('it is marked', async () => (await table.locator('tr[aria-current]').getAttribute('data-n')) === '3');
});

inBrowser('the graph is told in words, moves by keys, and a click opens a node', example, async (page, site) => {
  await visit(page, site, `r/${GOOD}?view=graph`);
  const canvas = page.locator('canvas.graph'), data = await site.get(`runs/${GOOD}/graph`);
  await until('it is drawn', async () => (await canvas.getAttribute('aria-label'))?.startsWith(`Graph of ${data.boxes.length} nodes and ${data.edges.length} edges: ${data.boxes.length} success`));
  const picture = () => canvas.evaluate(node => node.toDataURL()), before = await picture();
  await tabTo(page, canvas);
  await press(page, 'ArrowRight');
  await until('it has moved', async () => (await picture()) !== before);
  await press(page, '0');
  await until('it fits again', async () => (await picture()) === before);
  const { fit } = await import('../../../pipeline-runtime/src/dashboard/assets/graph.js');
  const { width, height } = await canvas.boundingBox(), place = fit(data.width, data.height, width, height), box = data.boxes[1];
  await canvas.click({ position: { x: place.x + (box.x + box.w / 2) * place.scale, y: place.y + (box.y + box.h / 2) * place.scale } });
  await page.getByRole('complementary', { name: 'Node' }).getByRole('heading', { name: box.node, exact: true }).waitFor();
});

inBrowser('the log is searched on the server, and by level', example, async (page, site) => {
  await visit(page, site, `r/${BAD}?view=log`);
  const lines = page.locator('.lines .l');
  await lines.first().waitFor();
  await press(page, '/');
  await page.keyboard.type('two rows');
  await until('the search is in the address', () => query(page).get('lq') === 'two rows');
  const found = (await site.get(`runs/${BAD}/logs?q=two%20rows`)).lines;
  assert.ok(found.length > 0);
  await until('what was found is left', async () => (await lines.count()) === found.length);
  assert.equal(await page.locator('.l mark').first().textContent(), 'two rows');
  await page.getByLabel('Search the log').fill('no line has this');
  await page.getByText('No line has this text.').waitFor();
  await page.getByLabel('Search the log').fill('');
  await tabTo(page, page.getByRole('combobox', { name: 'Level' }));
  await page.keyboard.type('errors');
  const errors = (await site.get(`runs/${BAD}/logs?level=error`)).lines.length;
  await until('errors are left', async () => query(page).get('level') === 'error' && (await lines.count()) === errors);
});

const begun = async (site, day) => {
  const run = `cloud_data_pipeline/manual__${day}T00:00:00Z`;
  await site.command({ command: 'trigger', pipeline: 'cloud_data_pipeline', logical_date: `${day}T00:00:00Z`, params: { store: site.store } });
  await until(`${run} waits`, async () => (await site.get(`runs/${run}`).catch(() => null))?.states.up_for_reschedule);
  return run;
};

inBrowser('a log is followed: lines come as they are written', example, async (page, site) => {
  const run = await begun(site, '2026-02-01');
  await visit(page, site, `r/${run}?view=log`);
  await until('the page listens', () => page.locator('.light.on').count());
  const last = page.locator('.lines .l').last();
  await site.command({ command: 'skip', run, node: 'daily_export' });
  await last.filter({ hasText: 'nothing to do' }).waitFor();
});

inBrowser('a node is skipped from its drawer, and the page follows the run to its end', example, async (page, site) => {
  const run = await begun(site, '2026-02-02');
  await visit(page, site, `r/${run}?node=daily_export`);
  await tabTo(page, page.getByRole('button', { name: 'Skip …' }));
  await press(page, 'Enter');
  const yes = page.getByRole('dialog', { name: 'Skip daily_export?' }).getByRole('button', { name: 'Skip daily_export' });
  await until('it may be confirmed', () => yes.isEnabled());
  await tabTo(page, yes);
  await press(page, 'Enter');
  await page.locator('.head .chip.s-success').waitFor();
  assert.equal(await state(site, run), 'success');
  await page.locator('.g-row', { hasText: 'daily_export' }).getByRole('img', { name: 'skipped' }).waitFor();
});

inBrowser('a run is cancelled by keyboard alone; the way out has the focus first', example, async (page, site) => {
  const run = await begun(site, '2026-02-03');
  await visit(page, site, `r/${run}`);
  await tabTo(page, page.getByRole('button', { name: 'Cancel run …' }));
  await press(page, 'Enter');
  const dialog = page.getByRole('dialog', { name: 'Cancel this run?' });
  await dialog.waitFor();
  assert.equal((await focused(page)).text, 'Keep it running');
  await press(page, 'Enter');
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await state(site, run), 'running');
  assert.equal((await focused(page)).text, 'Cancel run …');
  await press(page, 'Enter');
  const yes = dialog.getByRole('button', { name: /^Cancel manual__/ });
  await until('it may be confirmed', () => yes.isEnabled());
  await tabTo(page, yes);
  await press(page, 'Enter');
  await page.locator('.head .chip.s-cancelled').waitFor();
  assert.match((await site.get('acts')).acts[0].command, /cancel/);
});

inBrowser('a link to what is seen now is copied', example, async (page, site) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await visit(page, site, `r/${GOOD}?node=process`);
  await press(page, 'c');
  await page.locator('.toast.ok').waitFor();
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText())), { records } = await site.get(`runs/${GOOD}`);
  assert.deepEqual([link.searchParams.get('record'), link.searchParams.get('node')], [String(records.last), 'process']);
});

inBrowser('a run that is not there is told, with a way on', example, async (page, site) => {
  await page.goto(`${site.url}r/cloud_data_pipeline/nothing`);
  await page.getByRole('alert').filter({ hasText: 'the journal has no run' }).waitFor();
  await page.getByRole('button', { name: 'Try again' }).waitFor();
}, { errors: /404/ });

inBrowser('it is saved as one file, which opens from the disk and has all of it', fixture, async (page, site) => {
  await visit(page, site, `r/${HOSTILE}`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Save' }).click()]);
  assert.match(download.suggestedFilename(), /^parted-.*\.html$/);
  const folder = mkdtempSync(join(tmpdir(), 'saved-')), file = join(folder, 'run.html');
  try {
    await download.saveAs(file);
    // In a window of its own, as its recipient opens it.
    const saved = await tab(page.context());
    await saved.goto(`file://${file}`);
    await saved.getByRole('heading', { name: 'What failed' }).waitFor();
    assert.deepEqual(await findings(saved), []);
    assert.equal(await saved.locator('script, img').count(), 0);
    assert.deepEqual(saved.heard, { errors: [], requests: [`file://${file}`], dialogs: [] });
  } finally { rmSync(folder, { recursive: true }); }
});
