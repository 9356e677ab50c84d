// Every page in both color schemes, wide and narrow: axe finds nothing, and nothing scrolls sideways.
import { describe } from 'node:test';
import assert from 'node:assert/strict';
import { findings, inBrowser, visit } from './harness/browser.mjs';
import { BAD, GOOD, HOSTILE, KEYED, LATE, MAPPED, WAITS, example, fixture } from './harness/sites.mjs';
import { until } from './harness/processes.mjs';

const PAGES = [
  [example, ['', 'runs', 'sensors', 's/cloud_data_pipeline/daily_export', 'pools', 'acts', 'system', 'nothing/here',
    `r/${GOOD}`, `r/${WAITS}?node=daily_export`, `r/${BAD}?node=check_validation`, `r/${GOOD}?view=graph`, `r/${GOOD}?view=records&record=3`, `r/${BAD}?view=log`, `r/${GOOD}?view=details`, `r/${GOOD}?view=what-if&arrive=daily_export%3Dnever&all=true`, 'r/cloud_data_pipeline/none',
    'p/cloud_data_pipeline', 'p/cloud_data_pipeline/calendar?month=2026-01&day=2026-01-20', 'p/cloud_data_pipeline/schedule', 'p/cloud_data_pipeline/graph', 'p/cloud_data_pipeline/details']],
  [fixture, ['', `r/${HOSTILE}?node=publish&open=*`, `r/${KEYED}?open=*`, `r/${LATE}`, 'p/parted/trigger?p.parts=300', 'p/parted/backfill?from=2026-01-03&to=2026-01-07', `compare?a=${MAPPED}&b=${HOSTILE}&all=1`]],
];
const WIDTHS = [1280, 375], SCHEMES = ['light', 'dark'];

const look = async page => {
  const found = [];
  for (const width of WIDTHS) for (const colorScheme of SCHEMES) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    // The other scheme changes only colors.
    for (const finding of await findings(page, { colours: colorScheme !== SCHEMES[0] })) found.push(`${width} ${colorScheme}: ${finding}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) found.push(`${width}: the page is ${wide} wide`);
  }
  return found;
};
// Two windows at once, as most of the work is computing.
describe('axe', { concurrency: 2 }, () => {
  for (const [site, paths] of PAGES) for (const path of paths) {
    inBrowser(`/${path}`, site, async (page, shown) => {
      await visit(page, shown, path);
      await page.waitForFunction(() => [...document.querySelectorAll('canvas')].every(canvas => canvas.hasAttribute('aria-label')) && !document.querySelector('.g-row.wait'));
      assert.deepEqual(await look(page), []);
    }, { errors: /404/ });
  }

  inBrowser('dialogs', example, async (page, site) => {
    await visit(page, site, `r/${BAD}`);
    await page.getByRole('button', { name: 'Retry failed …' }).click();
    const dialog = page.getByRole('dialog');
    await until('it says what it would do', () => dialog.getByRole('listitem').count());
    assert.deepEqual(await look(page), []);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    assert.deepEqual(await look(page), []);
  });
});
