// Nine tabs of one browser: HTTP/1.1 gives them six connections, and each event stream occupies one permanently.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { tab, visit, visitor } from './harness/browser.mjs';
import { LATE } from './harness/sites.mjs';
import { FIXTURE, Folder, until } from './harness/processes.mjs';

test('nine tabs share one stream, hear all, and another one leads when the first is closed', async () => {
  const folder = await Folder.make(FIXTURE);
  await folder.call('run', 'parted', '--logical-date', '2026-01-05');
  const site = await folder.serve(), context = await visitor(), pages = [];
  try {
    await site.command({ command: 'trigger', pipeline: 'waiting', logical_date: '2026-01-05T00:00:00Z', params: {} });
    const paths = ['', `r/${LATE}`, 'runs', 'sensors', 'pools', 'acts', 'system', 'p/waiting', `r/${LATE}?view=log`];
    for (const path of paths) { const page = await tab(context); await visit(page, site, path); pages.push(page); }
    for (const page of pages) await until('each tab is live', () => page.locator('.light.on').count());
    // The server counts one stream, with the topics of all tabs.
    await until('there is one stream', async () => (await site.get('system')).streams === 1);
    await pages[0].close();
    await until('another tab has the stream', async () => (await site.get('system')).streams === 1 && (await pages[1].locator('.light.on').count()) === 1);
    await site.command({ command: 'skip', run: LATE, node: 'arrival' });
    await pages[1].locator('.head .chip.s-success').waitFor();
    await pages[2].getByRole('row').filter({ hasText: 'waiting' }).getByText('success').waitFor();
    await pages[3].getByText('No sensor waits.').waitFor();
    await pages[5].getByRole('row').filter({ hasText: `skip ${LATE}` }).waitFor();
    await pages[8].locator('.head .chip.s-success').waitFor();
    assert.deepEqual(pages.flatMap(page => page.heard.errors), []);
  } finally { await context.close(); await site.end(); }
});

test('without TLS there are no locks: each tab has a stream of its own, and only while it is seen', async () => {
  const folder = await Folder.make(FIXTURE);
  await folder.call('run', 'parted', '--logical-date', '2026-01-05');
  const site = await folder.serve('--allow-host', 'plain.example'), context = await visitor();
  try {
    await site.command({ command: 'trigger', pipeline: 'waiting', logical_date: '2026-01-05T00:00:00Z', params: {} });
    const see = (page, isSeen) => page.evaluate(seen => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => !seen }); document.dispatchEvent(new Event('visibilitychange')); }, isSeen);
    const pages = [], named = { url: `http://plain.example:${new URL(site.url).port}/` };
    for (let n = 0; n < 9; n++) {
      const page = await tab(context);
      await visit(page, named, `r/${LATE}`);
      assert.equal(await page.evaluate(() => 'locks' in navigator), false);
      await until('it is live', () => page.locator('.light.on').count());
      pages.push(page);
      if (n < 8) await see(page, false);
    }
    await until('one stream is left', async () => (await site.get('system')).streams === 1);
    await site.command({ command: 'skip', run: LATE, node: 'arrival' });
    await pages[8].locator('.head .chip.s-success').waitFor();
    // A hidden tab shows what it has missed once it is visible.
    await see(pages[0], true);
    await pages[0].locator('.head .chip.s-success').waitFor();
  } finally { await context.close(); await site.end(); }
});
