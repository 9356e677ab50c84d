// Runs are deleted while pages show them.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { tab, visit, visitor } from './harness/browser.mjs';
import { FIXTURE, Folder, until } from './harness/processes.mjs';

test('a run that is deleted is told on its page, and leaves the lists', async () => {
  const folder = await Folder.make(FIXTURE);
  for (const day of ['05', '06', '07']) await folder.call('run', 'parted', '--logical-date', `2026-01-${day}`);
  const site = await folder.serve(), context = await visitor(), run = await tab(context), runs = await tab(context), log = await tab(context);
  try {
    await visit(run, site, 'r/parted/manual__2026-01-05T00:00:00Z?node=publish');
    await visit(log, site, 'r/parted/manual__2026-01-05T00:00:00Z?view=log');
    await visit(runs, site, 'runs?pipeline=parted');
    const row = runs.getByRole('row').filter({ hasText: '2026-01-05T00:00:00Z' });
    await row.waitFor();
    for (const page of [run, runs, log]) await until('the page listens', () => page.locator('.light.on').count());
    const { code, text } = await folder.call('prune', '--older-than', '0s');
    assert.equal(code, 0, text);
    await row.waitFor({ state: 'detached' });
    for (const page of [run, log]) await page.locator('main .trouble').filter({ hasText: 'manual__2026-01-05T00:00:00Z' }).first().waitFor();
    // The rest of the page still works.
    await run.getByRole('link', { name: 'Runs', exact: true }).click();
    await run.getByRole('row').filter({ hasText: '2026-01-07' }).waitFor();
  } finally { await context.close(); await site.end(); }
});
