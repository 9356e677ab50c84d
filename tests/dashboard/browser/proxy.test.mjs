// A real nginx in front of the page, with the prefix and the settings of docs/dashboard.md.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawn, tab, tabTo, visitor } from './harness/browser.mjs';
import { FIXTURE, Folder, root, until } from './harness/processes.mjs';

const nginx = process.env.NGINX ?? '/usr/sbin/nginx';
const there = (() => { try { execFileSync(nginx, ['-v'], { stdio: 'ignore' }); return true; } catch { return false; } })();
const free = () => new Promise(done => { const server = createServer().listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => done(port)); }); });
/** The block that the docs tell users to write. */
const told = /```nginx\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/dashboard.md'), 'utf8'))[1];
const ended = [];
after(() => { for (const end of ended) end(); });

test('behind nginx all works under its prefix: pages, live changes, commands, and the token', { skip: !there && 'SKIPPED: the dashboard behind nginx, which is missing' }, async () => {
  const folder = await Folder.make(FIXTURE), home = mkdtempSync(join(tmpdir(), 'dashboard-nginx-')), port = await free();
  await folder.call('run', 'parted', '--logical-date', '2026-01-05');
  const site = await folder.serve('--base-path', '/jobs', '--allow-host', 'jobs.example', '--token', 'auto');
  const block = told.replace('127.0.0.1:7373', new URL(site.url).host);
  assert.notEqual(block, told);
  writeFileSync(join(home, 'nginx.conf'), `daemon off; pid ${home}/pid; error_log stderr;
events {}
http { access_log off; client_body_temp_path ${home}/a; proxy_temp_path ${home}/b; fastcgi_temp_path ${home}/c; uwsgi_temp_path ${home}/d; scgi_temp_path ${home}/e;
server { listen 127.0.0.1:${port}; ${block} } }\n`);
  const child = spawn(nginx, ['-c', join(home, 'nginx.conf'), '-p', home], { stdio: 'ignore' });
  ended.push(() => { child.kill('SIGTERM'); rmSync(home, { recursive: true, force: true }); });
  const outside = `http://jobs.example:${port}/jobs/`, context = await visitor(), page = await tab(context);
  try {
    await until('nginx answers', async () => (await fetch(`http://127.0.0.1:${port}/jobs/healthz`, { headers: { host: 'jobs.example' } }).catch(() => null)) != null);
    await page.goto(`${outside}#token=${site.token}`); await drawn(page);
    await page.getByRole('link', { name: 'parted', exact: true }).first().press('Enter');
    await page.getByRole('heading', { name: 'parted' }).waitFor();
    assert.equal(page.url(), `${outside}p/parted`);
    await until('its stream comes through', () => page.locator('.light.on').count());
    await tabTo(page, page.getByRole('button', { name: 'Pause …' }));
    await page.keyboard.press('Enter');
    const yes = page.getByRole('dialog').getByRole('button', { name: 'Pause parted' });
    await until('it may be confirmed', () => yes.isEnabled());
    await yes.press('Enter');
    await page.locator('.head .chip.s-paused').waitFor();
    // Changes from elsewhere arrive at once, as the proxy does not buffer them.
    const { code, text } = await folder.call('unpause', 'parted');
    assert.equal(code, 0, text);
    await page.locator('.head .chip.s-paused').waitFor({ state: 'detached' });
    await page.reload(); await drawn(page);
    for (const path of ['runs', 'sensors', 'r/parted/manual__2026-01-05T00:00:00Z?view=log', 'p/parted/calendar', 'nothing/here']) { await page.goto(outside + path); await drawn(page); }
    assert.deepEqual(page.heard.requests.filter(url => !url.startsWith(outside)), []);
    // The proxy is responsible for TLS, and this one has none.
    assert.deepEqual(page.heard.errors.filter(text => !/404|Cross-Origin-Opener-Policy header has been ignored/.test(text)), []);
  } finally { await context.close(); await site.end(); }
});
