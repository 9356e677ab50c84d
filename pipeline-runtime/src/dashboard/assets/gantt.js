// The Gantt: a virtual treegrid. Rows are fetched in pages when they become visible; everything works by keyboard.
import { el, show, api, mark, label, duration, clock, button, select, finder, pressed, trouble } from './base.js';
import { KINDS, KIND_TEXT, bars, sums, sentence, zoomed, panned, readZoom, writeZoom, rowsSeen, scrollFor } from './spans.js';
import { offsetTicks, offsetText } from './ticks.js';

const ROW = 26, PAGE = 100, SORTS = [['', 'wiring'], ['start', 'start'], ['duration', 'worked'], ['wait', 'waited'], ['state', 'state']];
const STATES = ['', 'failed', 'running', 'up_for_retry', 'up_for_reschedule', 'queued', 'success', 'skipped', 'upstream_failed', 'none'];

export default function gantt(ctx, host, run) {
  let pages = new Map(), asked = new Map(), total = null, version = 0, asking = '', cursor = 0, view = [0, 1], most = 1, width = 600, frame, wanted, failed, drag;
  const drawn = new Map();
  const { filters, asks } = run;
  const now = () => run.answer.drawn ?? Math.max(0, clock.now() - Date.parse(run.answer.run.started));

  // ── The frame
  const axis = el('div.g-axis', { role: 'columnheader' }), lines = el('div.g-lines', { 'aria-hidden': 'true' });
  const body = el('div.g-body', { role: 'rowgroup' }, lines);
  const grid = el('div.gantt', { role: 'treegrid', tabindex: 0, 'aria-label': 'Nodes over time', 'aria-colcount': 3 },
    el('div.g-head', { role: 'rowgroup' }, el('div', { role: 'row', class: 'g-row', 'aria-rowindex': 1 }, el('div.g-name', { role: 'columnheader' }, 'Node'), el('div.g-took', { role: 'columnheader' }, 'Took'), axis)), body);
  const find = finder('Find a node', filters().q, q => ctx.set({ q }));
  const count = el('span.dim', { role: 'status' });
  const bar = el('div.bar'), failure = el('div');
  const byState = select('State', state => ctx.set({ state }, true), STATES.map(state => [state, state ? label(state) : 'all'])), order = select('Order', sort => ctx.set({ sort }, true), SORTS);
  const controls = f => show(bar, find,
    byState.set(f.state), order.set(f.sort),
    count, el('span.grow'),
    el('div.seg', { role: 'group', 'aria-label': 'Zoom' }, button('−', () => zoom(2), { 'aria-label': 'Zoom out' }), button('fit', () => setView([0, most], true), { 'aria-label': 'Fit the whole run' }), button('+', () => zoom(.5), { 'aria-label': 'Zoom in' })));
  show(host, bar, failure, grid);

  // ── Data
  const rowAt = i => pages.get(Math.floor(i / PAGE))?.[i % PAGE];
  const fetchPage = async page => {
    if (asked.get(page) === version) return;
    asked.set(page, version);
    const mine = version;
    try {
      const early = page === 0 && run.rows, answer = await early || await api([...run.path, 'nodes'], { ...asks(), from: page * PAGE }, ctx);
      run.rows = null;
      if (mine !== version) return;
      if (failed) { failed = false; show(failure); }
      total = answer.total; pages.set(page, answer.rows);
      if (pages.size > 60) for (const key of pages.keys()) { if (Math.abs(key - page) > 20) { pages.delete(key); asked.delete(key); } if (pages.size <= 40) break; }
      settle(); paint(true);
      if (answer.reading && run.answer?.records.reading === false) run.readOn();
    } catch (error) { asked.delete(page); if (error.status && mine === version) { failed = true; show(failure, trouble(error)); } }
  };
  const settle = () => {
    const tall = rowsSeen(0, 0, total, ROW).tall;
    body.style.height = `${Math.max(tall, ROW)}px`;
    grid.style.height = `${Math.min(tall + 30, Math.max(300, innerHeight * .62))}px`;
    grid.setAttribute('aria-rowcount', total + 1);
    count.textContent = `${total.toLocaleString('en')} row${total === 1 ? '' : 's'}`;
  };
  /** Goes to a node, wherever it is in this order. */
  const seek = async id => {
    if (wanted === id) return;
    wanted = id;
    for (const [page, rows] of pages) { const at = rows.findIndex(row => row.node === id); if (at >= 0) return to(page * PAGE + at, true); }
    try { const { index } = await api([...run.path, 'nodes'], { ...asks(), find: id, count: 1 }, ctx); if (index != null) to(index, true); } catch { /* the list itself shows the error */ }
  };

  // ── Drawing
  const barsOf = row => bars(row.spans, { from: view[0], until: view[1], width, now: now(), failures: row.failures }).map(one => {
    const node = el('i', { class: `b k-${KINDS[one.kind]}${row.elements != null ? ' all' : ''}${one.bad ? ' bad' : ''}${one.open ? ' open' : ''}`, title: `${KIND_TEXT[KINDS[one.kind]]} ${duration(one.until - one.from)}${one.count > 1 ? `, ${one.count} times` : ''}, from ${offsetText(Math.round(one.from), 1000)}${one.bad ? '; failed' : ''}` });
    node.style.transform = `translateX(${one.x.toFixed(1)}px)`; node.style.width = `${one.w.toFixed(1)}px`;
    return node;
  });
  const progress = states => { const all = Object.values(states).reduce((a, b) => a + b, 0); return el('span.g-states', { title: Object.entries(states).map(([state, n]) => `${n} ${label(state)}`).join(', ') }, ['success', 'failed', 'running', 'up_for_retry', 'up_for_reschedule', 'queued', 'skipped', 'upstream_failed'].filter(state => states[state]).map(state => { const part = el('i', { class: `s-${state}` }); part.style.width = `${states[state] / all * 100}%`; return part; })); };
  const make = (i, row, selected) => {
    if (!row) return el('div', { role: 'row', class: 'g-row wait', id: `g${i}`, 'aria-rowindex': i + 2 }, el('div.g-name', { role: 'gridcell' }, '…'));
    const isOpen = row.elements != null && (filters().open.includes(row.node) || filters().open.includes('*')), at = now(), all = sums(row.spans, at), took = all[0] || all.reduce((a, b) => a + b, 0);
    const note = row.elements != null ? `${row.states?.success ?? 0}/${row.elements}` : row.sensor && row.pokes ? `${row.pokes} poke${row.pokes > 1 ? 's' : ''}` : row.attempts > 1 ? `${row.attempts}${row.allowed ? `/${row.allowed}` : ''} tries` : '';
    const node = el('div', { role: 'row', class: `g-row${row.level ? ' elem' : ''}${i === cursor ? ' at' : ''}`, id: `g${i}`, 'aria-rowindex': i + 2, 'aria-level': row.level + 1, 'aria-selected': row.node === selected, 'aria-expanded': row.elements != null ? isOpen : null },
      el('div', { role: 'gridcell', class: 'g-name', title: [row.node, label(row.state), row.error ?? row.why?.text].filter(Boolean).join('\n') }, el('span.twist', { 'aria-hidden': 'true' }, row.elements != null ? isOpen ? '▾' : '▸' : ''), mark(row.state, true), el('span.cut1.mono', row.node), row.states && Object.keys(row.states).length > 0 && progress(row.states), note && el('span.g-note', note)),
      el('div.g-took', { role: 'gridcell' }, row.spans.length ? duration(took) : ''),
      el('div', { role: 'gridcell', class: 'g-bars', 'aria-label': sentence(row, at, label, duration) }, barsOf(row)));
    return node;
  };
  const paint = anew => {
    if (total == null) return;
    const seen = rowsSeen(grid.scrollTop, grid.clientHeight - 30, total, ROW), selected = ctx.get('node');
    if (anew) { drawn.forEach(([node]) => node.remove()); drawn.clear(); }
    for (const [i, [node]] of drawn) if (i < seen.first || i >= seen.end) { node.remove(); drawn.delete(i); }
    for (let i = seen.first; i < seen.end; i++) {
      const row = rowAt(i), before = drawn.get(i), top = i * ROW + seen.shift;
      if (before && before[1] === row) { if (before[2] !== top) { before[0].style.top = `${top}px`; before[2] = top; } continue; }
      before?.[0].remove();
      const node = make(i, row, selected);
      node.style.top = `${top}px`;
      drawn.set(i, [node, row, top]); body.append(node);
    }
    if (!total && !drawn.size) { const node = el('div', { role: 'row', class: 'g-row none', 'aria-rowindex': 2 }, el('div', { role: 'gridcell' }, filters().q || filters().state ? 'No node matches.' : 'This run has no nodes.')); drawn.set(-1, [node]); body.append(node); }
    for (let page = Math.floor(seen.first / PAGE); page <= Math.floor(Math.max(0, seen.end - 1) / PAGE); page++) fetchPage(page);
    if (drawn.has(cursor)) grid.setAttribute('aria-activedescendant', `g${cursor}`); else grid.removeAttribute('aria-activedescendant');
  };
  const soon = anew => { const whole = anew || frame?.anew; if (frame) { frame.anew = whole; return; } frame = { anew: whole }; requestAnimationFrame(() => { const mine = frame; frame = undefined; if (mine.anew) scale(); paint(mine.anew); }); };
  const scale = () => {
    width = axis.clientWidth || width;
    const at = px => (px - view[0]) / (view[1] - view[0]) * width, ticks = offsetTicks(view[0], view[1], width);
    show(axis, el('span.sr', 'Time since the start'), ticks.map(tick => { const node = el('span', { 'aria-hidden': 'true' }, tick.text); node.style.left = `${at(tick.at)}px`; if (at(tick.at) > width - 40) node.className = 'last'; return node; }));
    show(lines, ticks.map(tick => { const node = el('i'); node.style.left = `${at(tick.at)}px`; return node; }), (() => { const t = now(); if (t < view[0] || t > view[1] || (run.answer.run.finished && run.answer.at == null)) return null; const node = el('i.now'); node.style.left = `${at(t)}px`; return node; })());
  };

  // ── Zoom
  const setView = (next, push) => { view = next; ctx.set({ zoom: writeZoom(next, most) }, push); soon(true); };
  const zoom = (factor, at = (view[0] + view[1]) / 2) => setView(zoomed(view, factor, at, most));
  const instant = event => view[0] + (event.clientX - axis.getBoundingClientRect().left) / width * (view[1] - view[0]);
  grid.addEventListener('wheel', event => {
    if (event.ctrlKey) { event.preventDefault(); zoom(event.deltaY > 0 ? 1.25 : .8, instant(event)); }
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) { event.preventDefault(); setView(panned(view, (event.deltaX || event.deltaY) / width * (view[1] - view[0]), most)); }
  }, { passive: false });
  axis.addEventListener('pointerdown', event => { drag = instant(event); axis.setPointerCapture(event.pointerId); });
  axis.addEventListener('pointerup', event => { const [from, until] = [drag, instant(event)].sort((a, b) => a - b); drag = null; if ((until - from) / (view[1] - view[0]) * width > 8) setView([Math.max(0, from), Math.min(most, until)], true); });
  axis.addEventListener('dblclick', () => setView([0, most], true));

  // ── Rows
  const to = (i, quiet) => {
    cursor = Math.max(0, Math.min((total ?? i + 1) - 1, i));
    grid.scrollTop = scrollFor(cursor, grid.scrollTop, grid.clientHeight - 30, total ?? cursor + 1, ROW);
    drawn.forEach(([node], at) => node.classList.toggle('at', at === cursor));
    if (quiet) soon(); else paint();
  };
  const fold = (row, open) => { const all = filters().open.filter(id => id !== row.node && (id !== '*' || open)); ctx.set({ open: open ? [...all, row.node] : all }, true); };
  const choose = row => { wanted = row.node; ctx.set({ node: ctx.get('node') === row.node ? null : row.node, attempt: null }, true); };
  grid.addEventListener('click', event => {
    const node = event.target.closest('.g-body .g-row'), i = node && Number(node.id.slice(1)), row = node && rowAt(i);
    if (!row) return;
    to(i);
    if (row.elements != null && event.target.closest('.twist')) fold(row, node.getAttribute('aria-expanded') !== 'true'); else choose(row);
  });
  grid.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== grid) return;
    const row = rowAt(cursor), screen = Math.max(1, Math.floor((grid.clientHeight - 30) / ROW) - 1), shift = event.shiftKey, span = view[1] - view[0], open = drawn.get(cursor)?.[0].getAttribute('aria-expanded');
    const does = {
      ArrowDown: () => to(cursor + 1), ArrowUp: () => to(cursor - 1), j: () => to(cursor + 1), k: () => to(cursor - 1), PageDown: () => to(cursor + screen), PageUp: () => to(cursor - screen), Home: () => to(0), End: () => to(total - 1),
      ArrowRight: () => shift ? setView(panned(view, span / 8, most)) : open === 'false' ? fold(row, true) : to(cursor + 1),
      ArrowLeft: () => { if (shift) return setView(panned(view, -span / 8, most)); if (open === 'true') return fold(row, false); if (row?.level) for (let i = cursor - 1; i >= 0 && rowAt(i); i--) if (!rowAt(i).level) return to(i); },
      Enter: () => row && choose(row), ' ': () => row && choose(row), '+': () => zoom(.5), '=': () => zoom(.5), '-': () => zoom(2), 0: () => setView([0, most], true),
    }[event.key];
    if (does) { event.preventDefault(); event.stopPropagation(); does(); }
  });
  grid.addEventListener('focus', () => paint());
  grid.addEventListener('scroll', () => soon(), { passive: true });
  const resized = new ResizeObserver(() => { if (axis.clientWidth !== width) soon(true); }); resized.observe(grid);

  const update = (keys, fresh) => {
    const f = filters(), key = JSON.stringify({ ...f, record: null }), whole = run.answer.whole;
    const fitted = view[0] <= 0 && view[1] >= most;
    if (whole !== most || asking === '') { const zoomedTo = readZoom(ctx.get('zoom'), whole); most = whole; view = zoomedTo ?? (fitted || asking === '' ? [0, most] : view); }
    if (keys === 'url' || keys?.includes?.('zoom')) view = readZoom(ctx.get('zoom'), most) ?? [0, most];
    if (key !== asking) { if (asking !== '') pages = new Map(); asking = key; fresh = true; controls(f); if (find.value !== (f.q ?? '')) find.value = f.q ?? ''; }
    if (fresh) { version++; asked = new Map(); if (total == null) fetchPage(Math.floor(grid.scrollTop / ROW / PAGE)); }
    if (keys !== 'time' || !pressed()) soon(true);
    if (f.record == null || !wanted) { const node = ctx.get('node'); if (node && !pages.size) setTimeout(() => seek(node), 0); else if (node) seek(node); else wanted = undefined; }
  };
  update('url', true);
  return { update, close: () => resized.disconnect(), focus: () => grid.focus(), move: by => { grid.focus(); to(cursor + by); } };
}
