// A page whose server is gone, or that was asleep itself: it says so, and recovers.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { tab, visit, visitor } from './harness/browser.mjs';
import { LATE } from './harness/sites.mjs';
import { FIXTURE, Folder, until } from './harness/processes.mjs';

/** A `serve` of this test's own, as the test ends it. */
const alone = async () => {
  const folder = await Folder.make(FIXTURE);
  await folder.call('run', 'parted', '--logical-date', '2026-01-05');
  const site = await folder.serve();
  await site.command({ command: 'trigger', pipeline: 'waiting', logical_date: '2026-01-05T00:00:00Z', params: {} });
  return { folder, site };
};
const open = async (site, path) => {
  const context = await visitor(), page = await tab(context);
  await visit(page, site, path);
  await page.evaluate(() => { window.kept = true; });
  await until('the page listens', () => page.locator('.light.on').count());
  return { context, page, banner: page.getByRole('alert').filter({ hasText: 'The server has not answered since' }) };
};
const skip = site => site.command({ command: 'skip', run: LATE, node: 'arrival' });

test('a server that is killed is told of; started again, the same page goes on', async () => {
  const { folder, site } = await alone(), { context, page, banner } = await open(site, `r/${LATE}`);
  try {
    await site.end('SIGKILL');
    await banner.waitFor();
    // Times stand still meanwhile.
    assert.equal(await page.locator('.light.off').count(), 1);
    const again = await folder.show('serve', '--dashboard', new URL(site.url).host);
    assert.equal(again.url, site.url);
    await banner.waitFor({ state: 'hidden' });
    await skip(again);
    await page.locator('.head .chip.s-success').waitFor();
    assert.equal(await page.evaluate(() => window.kept), true);
    await again.end();
  } finally { await context.close(); }
});

test('a run that ended while the server was away is told once it is back', async () => {
  const { folder, site } = await alone(), { context, page, banner } = await open(site, `r/${LATE}`);
  try {
    await site.end('SIGTERM');
    await banner.waitFor();
    const between = await folder.serve();
    await skip(between);
    await until('it has ended', async () => (await between.get(`runs/${LATE}`)).run.state === 'success');
    await between.end();
    const again = await folder.show('serve', '--dashboard', new URL(site.url).host);
    await page.locator('.head .chip.s-success').waitFor();
    await again.end();
  } finally { await context.close(); }
});

test('the death of the process that runs is told by the page beside it, although nothing was committed', async () => {
  const { folder, site } = await alone(), beside = await folder.show('dashboard', '--listen', ':0'), { context, page } = await open(beside, '');
  try {
    await page.getByText('held by process').waitFor();
    await site.end('SIGKILL');
    await page.locator('.head .chip.s-no_process').waitFor();
    await page.locator('.needs li', { hasText: 'no process holds the journal' }).waitFor();
    await beside.end();
  } finally { await context.close(); }
});

test('a page without a network says so, and goes on when it is back', async () => {
  const { site } = await alone(), { context, page, banner } = await open(site, `r/${LATE}`);
  try {
    const debug = await context.newCDPSession(page), network = offline => debug.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    await debug.send('Network.enable');
    await network(true);
    await page.getByRole('link', { name: 'Records' }).click();
    await banner.waitFor();
    await skip(site);
    await network(false);
    await banner.waitFor({ state: 'hidden' });
    await page.locator('.head .chip.s-success').waitFor();
    assert.equal(await page.evaluate(() => window.kept), true);
    await site.end();
  } finally { await context.close(); }
});

test('a page that was frozen shows what happened meanwhile', async () => {
  const { site } = await alone(), { context, page } = await open(site, `r/${LATE}`);
  try {
    const debug = await context.newCDPSession(page);
    await debug.send('Page.setWebLifecycleState', { state: 'frozen' });
    await skip(site);
    await until('it has ended', async () => (await site.get(`runs/${LATE}`)).run.state === 'success');
    await debug.send('Page.setWebLifecycleState', { state: 'active' });
    await page.locator('.head .chip.s-success').waitFor();
    await site.end();
  } finally { await context.close(); }
});
