// The shell: navigation, routes, the life cycle of pages. The state of a page is its URL and the answers of the API.
import { el, plain, svg, show, tick, dateText, isUtc, clock, server, setting, button, trouble, readOnly, login } from './base.js';

/** The module that draws a path; modules are loaded on demand. */
const ROUTES = [
  [/^$/, () => import('./overview.js')],
  [/^runs$/, () => import('./runs.js')],
  [/^r\/[^/]+\/[^/]+$/, () => import('./run.js')],
  [/^p\/[^/]+\/trigger$/, () => import('./trigger.js')],
  [/^p\/[^/]+\/backfill$/, () => import('./backfill.js')],
  [/^p\/[^/]+(\/(calendar|schedule|graph|runs|details))?$/, () => import('./pipeline.js')],
  [/^sensors$/, () => import('./sensors.js')],
  [/^s\/[^/]+\/.+$/, () => import('./sensor.js')],
  [/^(pools|acts|system)$/, () => import('./small.js')],
  [/^compare$/, () => import('./compare.js')],
];
const NAV = [['.', 'Overview', /^(|p\/.*)$/], ['runs', 'Runs', /^(runs|r\/.*|compare)$/], ['sensors', 'Sensors', /^(sensors|s\/.*)$/], ['pools', 'Pools', /^pools$/], ['acts', 'Acts', /^acts$/], ['system', 'System', /^system$/]];
const base = new URL(document.baseURI).pathname;
const pathOf = url => url.pathname.slice(base.length);
/** Decodes a part of an address; invalid encodings are left as they are. */
const decoded = text => { try { return decodeURIComponent(text); } catch { return text; } };

const main = el('main', { id: 'main', tabindex: '-1' });
const status = el('div.sr', { role: 'status' });
const banner = el('div.banner', { hidden: true, role: 'alert' });
const links = NAV.map(([href, text]) => el('a', { href }, text));
const light = el('span.light', { title: 'connecting' });

// ── Theme and zone
const THEMES = { auto: '◐', light: '☀', dark: '☾' };
const themeButton = button('', () => { const all = Object.keys(THEMES); setting('theme', all[(all.indexOf(setting('theme') ?? 'auto') + 1) % 3]); theme(); }, { class: 'quiet icon' });
const theme = () => {
  const now = THEMES[setting('theme')] ? setting('theme') : 'auto';
  document.documentElement.dataset.theme = now;
  themeButton.textContent = THEMES[now];
  themeButton.setAttribute('aria-label', `Theme: ${now}`);
  themeButton.title = `Theme: ${now}`;
  dispatchEvent(new Event('theme'));
};
const zoneButton = button('', () => { setting('zone', isUtc() ? 'local' : 'utc'); zone(); page?.update?.('zone'); }, { class: 'quiet' });
const zone = () => { zoneButton.textContent = isUtc() ? 'UTC' : 'Local'; zoneButton.title = `Times are ${isUtc() ? 'UTC' : `of ${Intl.DateTimeFormat().resolvedOptions().timeZone}`}; click to change`; };

// ── Pages
let page, life, shown;
const query = () => new URLSearchParams(location.search);
/** Announces a text to screen readers, and shows it for a moment if `seen` is given. */
const say = (text, seen) => {
  status.textContent = text;
  if (!seen) return;
  const toast = el('div', { class: `toast ${seen}`, 'aria-hidden': 'true' }, text);
  document.body.append(toast);
  setTimeout(() => toast.remove(), 6000);
};
/** Changes the query of this page: `push` adds a history entry. Other keys are kept. */
const set = (changes, push) => {
  const next = query();
  for (const [key, value] of Object.entries(changes)) {
    next.delete(key);
    for (const one of [value].flat()) if (one != null && one !== '') next.append(key, one);
  }
  const url = `${location.pathname}${next.size ? `?${next}` : ''}`;
  if (url === location.pathname + location.search) return;
  history[push ? 'pushState' : 'replaceState'](null, '', url);
  page?.update?.(Object.keys(changes));
};
const go = (href, replace) => { history[replace ? 'replaceState' : 'pushState'](null, '', new URL(href, document.baseURI)); return open(); };

function missing({ title, root }, path) {
  title('Not found');
  show(root, el('h1', { tabindex: '-1' }, 'Not found'), el('p', 'There is no page at ', el('code', `/${decoded(path)}`), '. There are:'), el('div.actions', NAV.map(([href, text]) => el('a.as-button', { href }, text))));
}
async function open(first) {
  const path = pathOf(location);
  if (shown === path && page?.update) return page.update('url');
  life?.abort();
  page?.close?.();
  page = undefined; shown = path; life = new AbortController();
  const mine = life, { signal } = mine;
  NAV.forEach(([, , belongs], i) => belongs.test(path) ? links[i].setAttribute('aria-current', 'page') : links[i].removeAttribute('aria-current'));
  main.className = ''; main.setAttribute('aria-busy', 'true');
  const route = ROUTES.find(([pattern]) => pattern.test(path));
  const context = {
    root: main, get: key => query().get(key), all: key => query().getAll(key), path: path.split('/').map(decoded), signal, query, set, go, say,
    title: text => { document.title = plain(`${text} · Pipelines`); },
    live: (topic, heard) => import('./live.js').then(live => { if (!signal.aborted) live.listen(topic, heard, signal); }),
  };
  const before = main.firstChild, wait = setTimeout(() => { if (main.firstChild === before) show(main, el('p.empty', 'Loading …')); }, 150);
  try {
    const made = route ? await (await route[1]()).default(context) : missing(context, path);
    if (!signal.aborted) page = made;
  } catch (error) {
    if (error.name !== 'AbortError' && mine === life) { context.title(error.title ?? 'No answer'); show(main, el('h1.sr', error.title ?? 'No answer'), trouble(error), button('Try again', () => { shown = null; open(); })); }
  }
  clearTimeout(wait);
  if (mine !== life) return;
  main.removeAttribute('aria-busy');
  if (!first) { scrollTo(0, 0); (main.querySelector('h1') ?? main).focus?.({ preventScroll: true }); status.textContent = document.title; }
}

// ── Whether the server answers
let down;
server.addEventListener('down', () => {
  if (down) return;
  down = true; clock.stop();
  light.className = 'light off'; light.title = 'no answer';
  show(banner, `The server has not answered since ${dateText(new Date(clock.now()), 'second', isUtc())}. Clocks are stopped; this page resumes when it is back.`).hidden = false;
});
server.addEventListener('up', () => { light.className = 'light on'; light.title = 'live'; if (!down) return; down = false; banner.hidden = true; if (page) page.update?.('server'); else { shown = null; open(); } });

// ── Events of the window
addEventListener('click', event => {
  const a = event.target.closest?.('a[href]');
  if (!a || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || a.target || a.hasAttribute('download')) return;
  const to = new URL(a.href);
  if (to.origin !== location.origin || !to.pathname.startsWith(base) || /^(api|assets)\//.test(pathOf(to))) return;
  event.preventDefault();
  go(to.href);
});
addEventListener('popstate', () => open());
let pressing;
/** Keys are handled in order, so all wait for one import: of two, the second may finish first. A failed import is tried again. */
const keys = event => (pressing ??= import('./keys.js')).then(module => module.press(event, { page: () => page, go, help: NAV }), () => { pressing = undefined; });
addEventListener('keydown', event => {
  if (event.isComposing || event.metaKey || event.ctrlKey || event.altKey || event.target.closest?.('input, textarea, select, dialog, [contenteditable]')) return;
  if (event.key === '/' && setting('keys') !== 'off') {
    // Immediately: the next key belongs to the field.
    const field = document.querySelector('[data-find]');
    if (field) { event.preventDefault(); field.focus(); field.select(); }
  } else if (event.key.length === 1) keys(event);
});
setInterval(() => { if (!document.hidden && !down) tick(document); }, 1000);

// ── The frame
const logo = svg('svg', { viewBox: '0 0 16 16', class: 'logo', 'aria-hidden': 'true' }, svg('path', { d: 'M3 8h3.2c2 0 1.6-4 3.8-4h1.5M6.2 8c2 0 1.6 4 3.8 4h1.5' }), svg('circle', { cx: 2.8, cy: 8, r: 2 }), svg('circle', { cx: 13, cy: 4, r: 2 }), svg('circle', { cx: 13, cy: 12, r: 2 }));
document.body.append(
  el('header.top',
    el('a', { href: 'main', class: 'skip', onclick: event => { event.preventDefault(); main.focus(); } }, 'Skip to content'),
    el('a', { href: '.', class: 'brand', 'aria-label': 'Pipelines, overview' }, logo, el('span', 'Pipelines')),
    el('nav', { 'aria-label': 'Pages' }, links),
    el('div.tools', readOnly() && el('span.tag', 'read only'), light, zoneButton, themeButton,
      button('?', () => keys({ key: '?' }), { class: 'quiet icon', 'aria-label': 'Keyboard shortcuts', title: 'Keyboard shortcuts' }))),
  banner, main, status);
theme(); zone();
const token = /^#token=(.+)/.exec(location.hash)?.[1];
if (token) { history.replaceState(null, '', location.pathname + location.search); login(decodeURIComponent(token)).finally(() => open(true)); } else open(true);
