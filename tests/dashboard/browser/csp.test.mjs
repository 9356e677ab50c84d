// The content security policy holds in a browser: no inline code, no foreign code, and few permissions.
import assert from 'node:assert/strict';
import { inBrowser, visit } from './harness/browser.mjs';
import { example } from './harness/sites.mjs';
import { until } from './harness/processes.mjs';

inBrowser('what the page does not ship does not run, and goes nowhere', example, async (page, site) => {
  await visit(page, site);
  await page.evaluate(() => { window.refused = []; document.addEventListener('securitypolicyviolation', event => window.refused.push(event.effectiveDirective)); });
  const attempts = {
    'script-src-elem': () => { const script = document.createElement('script'); try { script.text = 'window.ran = 1'; } catch { /* trusted types */ } script.append('window.ran = 1'); document.body.append(script); },
    'script-src-attr': () => { const node = document.createElement('button'); try { node.setAttribute('onclick', 'window.ran = 1'); } catch { /* trusted types */ } document.body.append(node); node.click(); },
    'style-src-elem': () => { const style = document.createElement('style'); style.append('main { display: none }'); document.body.append(style); },
    'img-src': () => { document.body.append(Object.assign(new Image(), { src: 'http://evil.example/x.png' })); },
    'connect-src': () => { fetch('http://evil.example/').catch(() => {}); },
    'frame-src': () => { const frame = document.createElement('iframe'); frame.src = 'http://evil.example/'; document.body.append(frame); },
    'form-action': () => { const form = document.createElement('form'); form.action = 'http://evil.example/'; document.body.append(form); form.submit(); },
  };
  for (const [directive, attempt] of Object.entries(attempts)) {
    await page.evaluate(attempt);
    await until(`${directive} is refused`, () => page.evaluate(one => window.refused.some(refused => refused === one || refused === 'require-trusted-types-for' && one.startsWith('script-src')), directive));
  }
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.equal(await page.locator('main').isVisible(), true);
  assert.match(await page.evaluate(() => { try { document.body.innerHTML = '<b>x</b>'; return 'done'; } catch (error) { return String(error); } }), /TrustedHTML/);
}, { errors: /Content Security Policy|Trusted|ERR_BLOCKED_BY_CSP|Framing|violat/i });

inBrowser('a first page asks for no more than it needs', example, async (page, site) => {
  const requests = [];
  page.on('request', request => requests.push(new URL(request.url()).pathname));
  await visit(page, site);
  const paint = await until('it has painted', () => page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime));
  const before = await page.evaluate(at => performance.getEntriesByType('resource').filter(one => one.startTime < at).map(one => new URL(one.name).pathname), paint);
  assert.ok(before.length + 1 <= 7, `${before.length + 1} requests before the first paint: ${before}`);
  assert.ok(requests.every(path => !/keys|actions|graph|gantt|log\.js|form/.test(path)), String(requests));
});
