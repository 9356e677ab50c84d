// A page with a token, which it must have if it is reachable from other machines.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { drawn, tab, visitor } from './harness/browser.mjs';
import { FIXTURE, Folder, until } from './harness/processes.mjs';

test('the link that is printed lets in, once and for all tabs; without it nothing is told', async () => {
  const folder = await Folder.make(FIXTURE);
  await folder.call('run', 'parted', '--logical-date', '2026-01-05');
  const site = await folder.serve('--token', 'auto'), context = await visitor(), page = await tab(context);
  try {
    assert.match(site.token, /^[0-9a-zA-Z_-]{16,}$/);
    await page.goto(site.url); await drawn(page);
    await page.getByRole('alert').filter({ hasText: 'requires a token' }).waitFor();
    assert.doesNotMatch(await page.locator('body').innerText(), /parted/);
    await page.goto(`${site.url}#token=${'0'.repeat(32)}`); await page.reload(); await drawn(page);
    await page.getByRole('alert').filter({ hasText: 'requires a token' }).waitFor();
    await page.goto('about:blank');
    await page.goto(`${site.url}#token=${site.token}`); await drawn(page);
    await page.getByRole('link', { name: 'parted', exact: true }).first().waitFor();
    // The token is no longer in the address, and scripts cannot read it.
    assert.equal(new URL(page.url()).hash, '');
    assert.equal(await page.evaluate(() => document.cookie), '');
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.value], [true, 'Strict', site.token]);
    await until('its stream is let in', () => page.locator('.light.on').count());
    const other = await tab(context);
    await other.goto(`${site.url}runs`); await drawn(other);
    await other.getByRole('row').filter({ hasText: 'manual__2026-01-05' }).waitFor();
    // The token is not sent to other sites.
    assert.ok([...page.heard.requests, ...other.heard.requests].every(url => !url.includes(site.token)));
  } finally { await context.close(); await site.end(); }
});
