// Code shared by all pages, in one file so that the first page needs few requests: elements, states, times, links, the API.

// ── Elements
const ODD = /[\u0000-\u0008\u000b-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
/** Removes terminal colours and makes other control characters visible, so that no text can mislead, here or where it is pasted. */
export const plain = text => !ODD.test(text) ? text : text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(\u0007|\u001b\\)/g, '')
  .replace(/[\u0000-\u0008\u000b-\u001f]/g, c => String.fromCharCode(0x2400 + c.charCodeAt(0))).replaceAll('\u007f', '␡')
  .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, c => `⟨U+${c.charCodeAt(0).toString(16).toUpperCase()}⟩`);
/** Flattens a list of children: texts become text nodes; null and false are dropped. */
const shownOf = children => children.flat(9).filter(child => child != null && child !== false).map(child => child instanceof Node ? child : plain(String(child)));
const fill = (node, attributes, children) => {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith('aria-') && value != null) { node.setAttribute(key, plain(String(value))); continue; }
    if (value == null || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'value') node.value = value;
    else node.setAttribute(key, value === true ? '' : key === 'href' ? value : plain(String(value)));
  }
  node.append(...shownOf(children));
  return node;
};
/** Creates an element, `el('p.dim', { title }, …)`; attributes are optional. Text becomes text nodes: untrusted text (a log line, a key) is never parsed as markup. */
export const el = (name, ...rest) => {
  const [tag, ...classes] = name.split('.'), node = document.createElement(tag);
  if (classes.length) node.className = classes.join(' ');
  return fill(node, rest[0]?.constructor === Object ? rest.shift() : null, rest);
};
export const svg = (name, attributes, ...children) => fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
const named = node => `${node.tagName} ${node.getAttribute('href') ?? node.getAttribute('aria-label') ?? node.textContent}`;
/** Replaces the children of an element. Nodes that are the same stay, and so does the focus, or it moves to the node that replaces the focused one. */
export const show = (node, ...children) => {
  const focused = node.contains(document.activeElement) && node !== document.activeElement ? document.activeElement : null, key = focused && named(focused);
  const list = shownOf(children), kept = new Set(list);
  let at = node.firstChild;
  const skip = () => { while (at && !kept.has(at)) { const next = at.nextSibling; at.remove(); at = next; } };
  for (const child of list) { skip(); if (child === at) at = at.nextSibling; else node.insertBefore(child instanceof Node ? child : document.createTextNode(child), at); }
  kept.clear(); skip();
  if (focused && document.activeElement !== focused) (focused.isConnected ? focused : [...node.querySelectorAll('a, button, select, input, [tabindex]')].find(other => named(other) === key))?.focus({ preventScroll: true });
  return node;
};
/** Rebuilds a part only if its data has changed: a click, a selection or a tooltip on it survives live changes. */
export const memo = () => {
  const parts = new Map();
  return (key, value, make) => { const text = JSON.stringify(value) ?? '', old = parts.get(key); if (old?.text === text) return old.node; const node = make(value); parts.set(key, { text, node }); return node; };
};
/** True while a pointer is down: the element under it must not be replaced before the click. */
export const pressed = () => held;
let held = false;
globalThis.addEventListener?.('pointerdown', () => { held = true; }, true);
for (const name of ['pointerup', 'pointercancel', 'dragend', 'blur']) globalThis.addEventListener?.(name, () => setTimeout(() => { held = false; }), true);
/** A sentence in which names between backticks are set as code; `link` may turn them into links, and `between` transforms the text between them. */
export const rich = (text, link, between = part => part) => (text ?? '').split('`').map((part, i) => {
  if (i % 2 === 0) return between(part);
  const to = link?.(part);
  return to ? el('a.code', { href: to }, part) : el('code', part);
});
export const button = (label, onclick, attributes) => el('button', { type: 'button', onclick, ...attributes }, label);
/** A table that scrolls sideways on its own, also by keyboard. A `#` before a heading marks a column of numbers. */
export const table = (name, heads, body, classes = '') => el('div.scroll', { tabindex: 0, role: 'region', 'aria-label': name }, el('table', { class: classes }, el('thead', el('tr', heads.map(text => el('th', { class: text[0] === '#' ? 'num' : null }, text.replace('#', ''))))), body));
export const card = (name, ...children) => el('section.card', { 'aria-label': name }, children);
/** A card with a visible title. */
export const titled = (name, ...children) => card(name, el('header', el('h2', name)), children);
/** A share from 0 to 1 as a bar; the caller shows the figure beside it. */
export const meter = (share, classes = '', more) => { const bar = el('i'); bar.style.width = `${share * 100}%`; return el('span', { class: `meter ${classes}`, 'aria-hidden': 'true', ...more }, bar); };
/** Resolves the colour variables of the style sheet: they are pairs of colours, and a canvas needs the one of the current theme. */
export const coloursOf = canvas => new Proxy({}, { get: (known, name) => { if (!known[name]) { canvas.style.color = `var(${name})`; known[name] = getComputedStyle(canvas).color; canvas.style.color = ''; } return known[name]; } });
/** Calls `fn` when the colours change. */
export const onTheme = (ctx, fn) => { for (const [target, name] of [[window, 'theme'], [matchMedia('(prefers-color-scheme: dark)'), 'change']]) target.addEventListener(name, fn, { signal: ctx.signal }); };
/** A search field; `/` focuses it. */
export const finder = (text, value, oninput, more) => el('input', { type: 'search', placeholder: text, 'aria-label': text, 'data-find': true, value: value ?? '', oninput: event => oninput(event.target.value), ...more });
/** A select that stays the same element, so that it keeps the keyboard focus: `set` changes its value and its options. */
export const select = (label, onchange, options) => {
  const box = el('select', { 'aria-label': label, onchange: () => onchange(box.value) }), node = el('label.field', el('span', { 'aria-hidden': 'true' }, label), box);
  let shown;
  node.set = (value, list = options) => {
    const all = JSON.stringify(list);
    if (all !== shown) { shown = all; show(box, list.map(([key, text]) => el('option', { value: key }, text))); }
    box.value = value ?? '';
    if (box.selectedIndex < 0) box.selectedIndex = 0;
    return node;
  };
  return node;
};

// ── States: a shape and a colour each
const RING = ['circle', { cx: 8, cy: 8, r: 6 }], DISC = ['circle', { cx: 8, cy: 8, r: 7, class: 'full' }];
const SQUARE = ['rect', { x: 2, y: 2, width: 12, height: 12, rx: 3 }];
const cut = d => ['path', { d, class: 'cut' }], line = d => ['path', { d }];
const CROSS = 'M5.5 5.5l5 5m0-5l-5 5';
const SHAPES = {
  success: [DISC, cut('M4.8 8.3l2.2 2.2 4.3-4.6')],
  failed: [['rect', { x: 1.5, y: 1.5, width: 13, height: 13, rx: 3, class: 'full' }], cut(CROSS)],
  running: [['circle', { cx: 8, cy: 8, r: 6, class: 'faint' }], ['path', { d: 'M8 2a6 6 0 0 1 6 6', class: 'turns' }]],
  queued: [['circle', { cx: 8, cy: 8, r: 6, 'stroke-dasharray': '2.2 2.5' }], line('M5.4 8h.1M8 8h.1M10.6 8h.1')],
  scheduled: [RING, line('M8 4.8V8l2.2 1.4')],
  none: [['circle', { cx: 8, cy: 8, r: 5.5, class: 'thin' }]],
  up_for_retry: [line('M13.5 8.2a5.5 5.5 0 1 1-1.8-4.3M12.4 1.2v3.2H9.2')],
  up_for_reschedule: [line('M4 2h8M4 14h8M5 2c0 3.5 6 8.5 6 12M11 2c0 3.5-6 8.5-6 12')],
  skipped: [RING, line('M5.6 5.6L8 8l-2.4 2.4M8.6 5.6L11 8l-2.4 2.4')],
  upstream_failed: [SQUARE, line(CROSS)],
  removed: [['rect', { x: 2, y: 2, width: 12, height: 12, rx: 3, 'stroke-dasharray': '2 2.2' }], line('M5.5 8h5')],
  cancelled: [DISC, cut('M4.5 8h7')],
  blocked: [['path', { d: 'M8 .8L15.2 8 8 15.2.8 8z', class: 'full' }], cut('M8 4.6v4M8 11v.1')],
  sla_missed: [DISC, cut('M8 4.4V8l2.4 1.6')],
  sla_close: [RING, line('M8 4.4V8l2.4 1.6')],
  get late_sensor() { return this.up_for_reschedule; },
  paused: [line('M5.5 3v10M10.5 3v10')],
  no_process: [RING, line('M4 12l8-8')],
};
export const LABELS = { none: 'not started', up_for_retry: 'waits for a retry', up_for_reschedule: 'waits for data', upstream_failed: 'upstream failed', no_process: 'no process', sla_missed: 'SLA missed', sla_close: 'SLA close', late_sensor: 'budget nearly used up' };
export const label = state => LABELS[state] ?? state;
/** The mark of a state. With `named` it announces its state to screen readers; else the text beside it does. */
export const mark = (state, named) => svg('svg', { class: `mark s-${state}`, viewBox: '0 0 16 16', ...named ? { role: 'img', 'aria-label': label(state) } : { 'aria-hidden': 'true' } },
  (SHAPES[state] ?? SHAPES.none).map(([name, attributes]) => svg(name, attributes)));
export const chip = (state, text) => el('span', { class: `chip s-${state}` }, mark(state), text ?? label(state));

// ── Times
const two = n => String(n).padStart(2, '0');
/** 850 ms · 4.2 s · 41 s · 7 m 27 s · 17 h 46 m · 3 d 4 h */
export const duration = ms => {
  if (ms == null || Number.isNaN(ms)) return '–';
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const s = Math.round(ms / 1000), pair = (big, of, unit, small) => { const rest = Math.floor((s % of) / (of / big)); return `${Math.floor(s / of)} ${unit}${rest ? ` ${rest} ${small}` : ''}`; };
  if (s < 60) return `${s} s`;
  return s < 3600 ? pair(60, 60, 'm', 's') : s < 86400 ? pair(60, 3600, 'h', 'm') : pair(24, 86400, 'd', 'h');
};
export const bytes = n => { if (n == null) return '–'; let u = 0; while (n >= 1000 && u < 4) { n /= 1000; u++; } return `${u && n < 10 ? n.toFixed(1) : Math.round(n)} ${['B', 'kB', 'MB', 'GB', 'TB'][u]}`; };
/** A setting of this browser: the theme, or the zone of times. */
export const setting = (name, value) => { try { if (value === undefined) return localStorage.getItem(`pipeline.${name}`); localStorage.setItem(`pipeline.${name}`, value); } catch { /* storage may be off */ } return value; };
const parts = (date, utc) => utc
  ? [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds()]
  : [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds()];
/** Formats a date for people: `form` is day, minute, second or milli. The day is left out if it is `today`. */
export const dateText = (date, form, utc, today) => {
  const [y, mo, d, h, mi, s, ms] = parts(date, utc), day = `${y}-${two(mo)}-${two(d)}`;
  if (form === 'day') return day;
  const clock = `${two(h)}:${two(mi)}${form === 'minute' ? '' : `:${two(s)}`}${form === 'milli' ? `.${String(ms).padStart(3, '0')}` : ''}`;
  if (today) { const [ty, tm, td] = parts(today, utc); if (ty === y && tm === mo && td === d) return clock; if (ty === y) return `${two(mo)}-${two(d)} ${clock}`; }
  return `${day} ${clock}`;
};
/** The server's clock: the clock of runs may be ahead of this machine's, or faster. */
export class ServerClock {
  at = null; seen = 0; rate = 1;
  hear(now, local = performance.now()) {
    const at = Date.parse(now);
    if (Number.isNaN(at)) return;
    if (this.at != null && local - this.seen > 900) { const rate = (at - this.at) / (local - this.seen); this.rate = rate > .8 && rate < 1.25 ? 1 : Math.min(Math.max(rate, 0), 1000); }
    if (this.at == null || local - this.seen > 900) { this.at = at; this.seen = local; }
  }
  stop(local = performance.now()) { if (this.at != null) { this.at = this.now(local); this.seen = local; this.rate = 0; } }
  now(local = performance.now()) { return this.at == null ? Date.now() : this.at + (local - this.seen) * this.rate; }
}
export const clock = new ServerClock();
export const isUtc = () => setting('zone') === 'utc';
export const time = (iso, form = 'minute', whole) => { if (!iso) return el('span.dim', '–'); const date = new Date(iso);
  return el('time', { datetime: iso, title: `${dateText(date, 'milli', true)} UTC` }, dateText(date, form, isUtc(), whole ? null : new Date(clock.now()))); };
const told = node => { const ms = Number(node.dataset.at) - clock.now();
  return node.dataset.way === 'until' ? (ms <= 0 ? 'due' : `in ${duration(Math.max(ms, 1000))}`) : node.dataset.way === 'since' ? duration(Math.max(0, -ms)) : `${duration(Math.max(0, -ms))} ago`; };
/** A time that counts on the server's clock: `until` it, `ago`, or how long `since`. */
export const counts = (iso, way = 'until') => { if (!iso) return null; const node = el('time', { datetime: iso, 'data-at': Date.parse(iso), 'data-way': way, title: `${dateText(new Date(iso), 'second', isUtc())} (${dateText(new Date(iso), 'second', true)} UTC)` }); node.textContent = told(node); return node; };
export const tick = root => { for (const node of root.querySelectorAll('time[data-at]')) { const text = told(node); if (node.textContent !== text) node.textContent = text; } };

/** A number with its noun: 1 run, 2 runs. */
export const many = (n, noun) => `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;

// ── Links
const enc = text => encodeURIComponent(text).replaceAll('%3A', ':');
/** A link relative to the base: its parts are encoded, and null values of the query are left out. */
export const link = (path, query) => {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) for (const one of [value].flat()) if (one != null && one !== '') search.append(key, one);
  return path.map(enc).join('/') + (search.size ? `?${search}` : '') || '.';
};
/** `PIPELINE/RUN_ID` as [pipeline, id]. */
export const splitRun = run => { const at = run.indexOf('/'); return [run.slice(0, at), run.slice(at + 1)]; };
export const runLink = (run, query) => link(['r', ...splitRun(run)], query);
const TIMES = /((?:\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\dZ(?: \((?:in [^()]*|due)\))?)/;
/** Why something does not continue: a sentence with links to the node or the runs behind it, and when that changes. */
export const why = (w, nodeLink) => {
  if (!w) return null;
  const text = !w.root || w.text.includes(`\`${w.root.node}\``) ? w.text : w.text.replace(w.root.node, '`$&`'), runOf = name => w.runs?.find(run => splitRun(run)[1] === name);
  const to = name => name === w.node || name === w.root?.node ? nodeLink?.(name) : runOf(name) && runLink(runOf(name));
  let counted = false;
  // Times in the sentence are static and in UTC: here they are in the reader's zone, and count.
  const times = part => part.split(TIMES).map((text, i) => {
    if (i % 2 === 0) return text;
    if (text.endsWith(')') && w.changes_at) { counted = true; return [time(w.changes_at, 'second'), ' (', counts(w.changes_at), ')']; }
    const [at, rest] = text.split('Z'), date = at.includes('T') ? '' : `${new Date(clock.now()).toISOString().slice(0, 11)}`;
    return [time(`${date}${at}Z`, 'second'), rest];
  });
  return el('span.why', rich(text, to, times),
    w.root && !w.text.includes(w.root.node) && [' – because of ', el('a.code', { href: nodeLink?.(w.root.node) }, w.root.node), w.root.text && [': ', times(w.root.text)]],
    w.changes_at && !counted && el('span.dim', ' · ', counts(w.changes_at)));
};

// ── The API
export const readOnly = () => document.documentElement.dataset.readOnly === 'true';
/** A server on another machine requires a token: it is in the printed link, and is exchanged for a cookie once. */
export const login = token => fetch('api/v1/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token }) });
export class Problem extends Error { constructor(status, body) { super(body.detail ?? body.title ?? `status ${status}`); this.status = status; this.title = body.title ?? 'Failed'; this.hint = body.hint; } }
/** Sends `up` and `down` events when the server starts or stops answering. */
export const server = new EventTarget();
/** Calls the API. Throws a `Problem` with the server's answer, or the error of fetch if there is none. */
export async function api(path, query, { signal, body, headers } = {}) {
  let answer;
  try {
    answer = await fetch(`api/v1/${link(path, query)}`, { signal, headers: { accept: 'application/json', ...body && { 'content-type': 'application/json' }, ...headers }, ...body && { method: 'POST', body: JSON.stringify(body) } });
  } catch (error) { if (error.name !== 'AbortError') server.dispatchEvent(new Event('down')); throw error; }
  server.dispatchEvent(new Event('up'));
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, json);
  if (json.now) clock.hear(json.now);
  return json;
}
/** Replaces content that could not be read. */
export const trouble = error => el('div.trouble', { role: 'alert' }, mark('failed'), el('div', el('strong', error.title ?? (error.name === 'TypeError' ? 'The server does not answer' : 'This page has failed')), el('p', rich(error.message)), error.hint && el('p.dim', rich(error.hint))));
export const empty = (text, more) => el('p.empty', text, more && [' ', more]);
