// Makes the pictures of docs/dashboard.md, each page in both color schemes: `scripts/screenshots`.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tab, visit, visitor } from './harness/browser.mjs';
import { state } from './harness/sites.mjs';
import { EXAMPLE, Folder, root, until } from './harness/processes.mjs';

const MOST = 60_000, ALL = 1_500_000;
const run = (pipeline, day) => `${pipeline}/backfill__2026-01-${day}T00:00:00Z`;
const GOOD = run('multi_bucket_pipeline', '18'), BAD = run('multi_bucket_pipeline', '19'), WAITS = run('cloud_data_pipeline', '24');
const inDays = days => new Date(Date.now() + days * 864e5).toISOString().slice(0, 10);
const PAGES = {
  overview: '', runs: 'runs?pipeline=cloud_data_pipeline', run: `r/${WAITS}?node=daily_export`, failed: `r/${BAD}?node=check_validation`, graph: `r/${GOOD}?view=graph`, log: `r/${BAD}?view=log`, records: `r/${GOOD}?view=records&record=9`,
  pipeline: 'p/cloud_data_pipeline', calendar: 'p/cloud_data_pipeline/calendar?month=2026-01&day=2026-01-20', schedule: 'p/cloud_data_pipeline/schedule?count=12', forecast: `p/cloud_data_pipeline/schedule?count=6&takes=30m&stopped=${inDays(2)}..${inDays(4)}&set=catchup=true`, trigger: 'p/cloud_data_pipeline/trigger', backfill: 'p/cloud_data_pipeline/backfill?from=2026-01-18&to=2026-01-22&reprocess=all',
  sensors: 'sensors', sensor: 's/cloud_data_pipeline/daily_export?runs=30', pools: 'pools', acts: 'acts', system: 'system', compare: `compare?a=${GOOD}&b=${BAD}&all=1`,
};

/** A picture as WebP, which is a third of a PNG's size. */
const packed = async png => {
  const context = await visitor(), page = await tab(context);
  const text = await page.evaluate(async from => {
    const picture = await createImageBitmap(await (await fetch(from)).blob()), canvas = Object.assign(document.createElement('canvas'), { width: picture.width, height: picture.height });
    canvas.getContext('2d').drawImage(picture, 0, 0);
    return canvas.toDataURL('image/webp', .8);
  }, `data:image/png;base64,${png.toString('base64')}`);
  await context.close();
  return Buffer.from(text.split(',')[1], 'base64');
};

test('pictures', { timeout: 600_000 }, async () => {
  const folder = await Folder.make(EXAMPLE), s3 = join(folder.path, 's3'), store = `file://${s3}`, days = Array.from({ length: 14 }, (_, i) => String(i + 10));
  // The runs that the schedules start look here for today's files, which are late.
  await folder.call('mock-s3', '--empty');
  for (const day of days) await folder.call('mock-s3', '--root', s3, '--date', `2026-01-${day}`);
  writeFileSync(join(s3, 'logs-bucket/validation/data_quality_20260119.log'), 'ERROR: two rows have no customer\n');
  const site = await folder.serve(), began = Date.now();
  const backfill = async (pipeline, from, to) => {
    await site.command({ command: 'backfill', pipeline, from: `2026-01-${from}`, to: `2026-01-${to}`, params: { store }, max_active_runs: 2, reprocess: 'none' });
    await until(`${pipeline} has run`, async () => ['success', 'failed'].includes(await state(site, run(pipeline, Math.min(to, 23)))));
  };
  await backfill('cloud_data_pipeline', 10, 24);
  await backfill('multi_bucket_pipeline', 12, 18);
  await backfill('multi_bucket_pipeline', 19, 19);
  await until('one waits', async () => (await site.get(`runs/${WAITS}`).catch(() => null))?.why);
  let all = 0;
  for (const colorScheme of ['light', 'dark']) {
    const context = await visitor({ colorScheme, viewport: { width: 1000, height: 600 } }), page = await tab(context);
    for (const [name, path] of Object.entries(PAGES)) {
      // A short time range, so that the latest events fill the chart.
      await visit(page, site, name === 'pipeline' ? `${path}?from=${new Date(began).toISOString()}&to=${new Date(Date.now() + 2000).toISOString()}` : path);
      await page.locator('.light.on').waitFor();
      await page.waitForFunction(() => [...document.querySelectorAll('canvas')].every(canvas => canvas.getAttribute('aria-label')) && !document.querySelector('main .g-row.wait, .form ~ div[role=status]:empty, section [role=status]:empty:not(.dim)'));
      if (name === 'forecast') await page.getByRole('region', { name: 'Forecast' }).evaluate(card => card.scrollIntoView());
      const file = join(process.env.PICTURES ?? join(root, 'docs/images'), `${name}-${colorScheme}.webp`), webp = await packed(await page.screenshot({ animations: 'disabled' }));
      writeFileSync(file, webp);
      all += webp.length;
      assert.ok(webp.length <= MOST, `${file} has ${webp.length} bytes of ${MOST}`);
    }
    await context.close();
  }
  assert.ok(all <= ALL, `all have ${all} bytes of ${ALL}`);
});
