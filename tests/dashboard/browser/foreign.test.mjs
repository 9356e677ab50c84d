// Foreign pages: a name that was rebound to this machine, and requests in the user's name.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { tab, visitor } from './harness/browser.mjs';
import { fixture } from './harness/sites.mjs';
import { until } from './harness/processes.mjs';

const server = createServer((_, answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>foreign</title><body></body>'));
const listening = new Promise(done => { server.listen(0, '127.0.0.1', () => done(server.address().port)); });
after(() => server.close());
const isPaused = async site => (await site.get('overview')).pipelines.find(one => one.pipeline === 'parted').paused;

test('a name that was bound to this machine is another server’s', async () => {
  const site = await fixture(), context = await visitor({ tree: false }), page = await tab(context), port = new URL(site.url).port;
  try {
    for (const path of ['', 'runs', 'api/v1/overview', 'assets/app.js', 'healthz']) {
      const answer = await page.goto(`http://rebound.example:${port}/${path}`);
      assert.equal(answer.status(), 421, path);
      assert.match((await answer.json()).detail, /and not `rebound.example/);
    }
    // The page is of that name's origin, so the browser would let it read the answer: only the server can refuse it.
    const status = await page.evaluate(async () => (await fetch('/api/v1/commands', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"command":"pause","pipeline":"parted","paused":true}' })).status);
    assert.equal(status, 421);
    assert.equal(await isPaused(site), false);
  } finally { await context.close(); }
});

for (const host of ['evil.example', '127.0.0.1', 'localhost']) {
  test(`a page at ${host} with another port reads nothing and changes nothing`, async () => {
    const site = await fixture(), context = await visitor({ tree: false }), page = await tab(context), acts = (await site.get('acts')).acts.length;
    const answers = [];
    page.on('response', answer => { if (answer.url().startsWith(site.origin)) answers.push([answer.request().method(), new URL(answer.url()).pathname, answer.status()]); });
    try {
      await page.goto(`http://${host}:${await listening}/`);
      const read = await page.evaluate(async to => {
        const body = '{"command":"pause","pipeline":"parted","paused":true}', out = [];
        const asked = async (...args) => { try { const answer = await fetch(...args); out.push(`${answer.type} ${answer.type === 'opaque' ? '' : await answer.text()}`.trim()); } catch { out.push('blocked'); } };
        await asked(`${to}api/v1/overview`);
        await asked(`${to}api/v1/overview`, { mode: 'no-cors' });
        for (const kind of ['text/plain', 'application/x-www-form-urlencoded']) await asked(`${to}api/v1/commands`, { method: 'POST', mode: 'no-cors', headers: { 'content-type': kind }, body });
        await asked(`${to}api/v1/commands`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
        const script = document.createElement('script'); script.src = `${to}api/v1/overview`;
        const image = new Image(); image.src = `${to}assets/icon.svg`;
        const frame = document.createElement('iframe'); frame.src = to;
        const loads = [script, image, frame].map(node => new Promise(done => { node.onload = () => done('load'); node.onerror = () => done('error'); document.body.append(node); }));
        out.push(...await Promise.all(loads));
        let inside = 'closed'; try { inside = frame.contentDocument?.body.innerText ? 'read' : 'closed'; } catch { /* another origin */ }
        const stream = new EventSource(`${to}api/v1/events?topic=overview`);
        out.push(inside, await new Promise(done => { stream.onerror = () => done('refused'); stream.onopen = () => done('open'); }));
        stream.close();
        return out;
      }, site.url);
      assert.deepEqual(read, ['blocked', 'blocked', 'blocked', 'blocked', 'blocked', 'error', 'error', 'load', 'closed', 'refused']);
      // A form, as it needs no permission to run scripts.
      await page.evaluate(to => { const form = document.createElement('form'), field = document.createElement('input'); form.method = 'post'; form.enctype = 'text/plain'; form.action = `${to}api/v1/commands`; field.name = '{"command":"pause","pipeline":"parted","paused":true,"x":"'; field.value = '"}'; form.append(field); document.body.append(form); form.submit(); }, site.url);
      await until('the form was answered', () => answers.some(([method, path, status]) => method === 'POST' && path.endsWith('/commands') && status === 403 && page.url().startsWith(site.origin)));
      // The answers that the browser shows: the frame's and the form's. The others it hides from the page itself.
      assert.deepEqual(answers, [['GET', '/', 403], ['POST', '/api/v1/commands', 403]]);
      assert.equal(await isPaused(site), false);
      assert.equal((await site.get('acts')).acts.length, acts);
    } finally { await context.close(); }
  });
}

test('a link on a page of others opens the page, which that one cannot look into', async () => {
  const site = await fixture(), context = await visitor({ tree: false }), page = await tab(context);
  try {
    await page.goto(`http://evil.example:${await listening}/`);
    const opened = context.waitForEvent('page');
    await page.evaluate(to => { window.handle = window.open(to); const link = document.createElement('a'); link.href = to; link.id = 'link'; link.append('a run'); document.body.append(link); }, `${site.url}runs`);
    const other = await opened;
    await other.getByRole('heading', { name: 'Runs' }).waitFor();
    assert.equal(await other.evaluate(() => window.opener), null);
    await until('the handle is cut off', () => page.evaluate(() => window.handle.closed));
    await page.getByText('a run').click();
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
  } finally { await context.close(); }
});
