// A run, simulated again with something changed.
import assert from 'node:assert/strict';
import { inBrowser, press, query, tabTo, visit } from './harness/browser.mjs';
import { GOOD, example } from './harness/sites.mjs';

const said = page => page.locator('p.note').filter({ hasText: '; here ' });

inBrowser('a file that never comes is asked for by keyboard, and what follows from it is drawn', example, async (page, site) => {
  await visit(page, site, `r/${GOOD}?view=what-if`);
  await said(page).filter({ hasText: 'here success' }).waitFor();
  await page.getByText('No node differs.').waitFor();
  await tabTo(page, page.getByLabel('daily_export', { exact: true }));
  await page.keyboard.type('never');
  await press(page, 'Enter');
  await said(page).filter({ hasText: 'here failed' }).waitFor();
  assert.deepEqual(query(page).getAll('arrive'), ['daily_export=never']);
  await page.getByRole('img', { name: 'what if: failed' }).first().waitFor();
  // The form's state is in the address: it can be reloaded and shared.
  await page.reload();
  await said(page).filter({ hasText: 'here failed' }).waitFor();
  assert.equal(await page.getByLabel('daily_export', { exact: true }).inputValue(), 'never');
  await page.goBack();
  await said(page).filter({ hasText: 'here success' }).waitFor();
});

inBrowser('a failure is added and taken back, and a mistake says what to write', example, async (page, site) => {
  await visit(page, site, `r/${GOOD}?view=what-if`);
  await said(page).waitFor();
  const text = page.getByLabel('What is changed');
  await text.fill('daily_export');
  await press(page, 'Enter');
  await page.getByRole('alert').filter({ hasText: 'write NODE@ATTEMPT' }).waitFor();
  await page.getByRole('button', { name: 'Remove daily_export' }).click();
  await said(page).waitFor();
  await text.fill('daily_export@1=503');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('button', { name: 'Remove daily_export@1=503' }).waitFor();
  assert.deepEqual(query(page).getAll('fail'), ['daily_export@1=503']);
}, { errors: /400/ });
