// Duration over time on a canvas. Its alternative for keyboards and screen readers is the list of the same runs.
import { el, show, api, label, link, runLink, duration, dateText, isUtc, clock, many, button, coloursOf, onTheme } from './base.js';
import { timeTicks, durationTicks, logBounds } from './ticks.js';

const RANGES = { '24h': 864e5, '7d': 7 * 864e5, '30d': 30 * 864e5, '90d': 90 * 864e5 };
const LEFT = 52, BOTTOM = 22, TOP = 8;
const COLOURS = { success: '--ok', failed: '--bad', running: '--go', blocked: '--blocked' };
/** One point: a shape and a colour per state. */
const shape = (pen, state, x, y) => {
  pen.beginPath();
  if (state === 'failed') { pen.moveTo(x - 3.5, y - 3.5); pen.lineTo(x + 3.5, y + 3.5); pen.moveTo(x + 3.5, y - 3.5); pen.lineTo(x - 3.5, y + 3.5); pen.lineWidth = 2; pen.stroke(); }
  else if (state === 'success') { pen.arc(x, y, 2.6, 0, 7); pen.fill(); }
  else { pen.arc(x, y, 3.4, 0, 7); pen.lineWidth = 1.6; pen.stroke(); }
};

export function scatter(ctx, root, { pipeline }) {
  const canvas = el('canvas', { role: 'img' }), tip = el('div.tip', { hidden: true }), count = el('span.dim.grow');
  const ranges = el('div.seg', { role: 'group', 'aria-label': 'Range' });
  let data, places = [], scale, drag, busy;
  const range = () => {
    const query = ctx.query(), from = Date.parse(query.get('from')), to = Date.parse(query.get('to'));
    if (from < to) return { from, to, key: null };
    const key = RANGES[query.get('range')] ? query.get('range') : '7d';
    return { from: clock.now() - RANGES[key], to: clock.now(), key };
  };
  const load = async () => {
    if (busy) return;
    busy = true;
    const { from, to, key } = range();
    show(ranges, Object.keys(RANGES).map(name => button(name, () => ctx.set({ range: name, from: null, to: null }, true), { 'aria-pressed': name === key })), !key && button(`${dateText(new Date(from), 'minute', isUtc())} – ${dateText(new Date(to), 'minute', isUtc())}`, () => ctx.set({ from: null, to: null }, true), { 'aria-pressed': true, title: 'Back to the whole range' }));
    try { data = await api(['scatter'], { pipeline, from: new Date(from).toISOString(), to: new Date(to).toISOString(), points: 2000 }, ctx); draw(); } catch { /* the banner shows it */ } finally { busy = false; }
  };
  const draw = () => {
    const box = canvas.getBoundingClientRect(), ratio = devicePixelRatio, sans = getComputedStyle(canvas).getPropertyValue('--sans');
    if (!data || !box.width) return;
    canvas.width = box.width * ratio; canvas.height = box.height * ratio;
    const pen = canvas.getContext('2d'), from = Date.parse(data.from), to = Date.parse(data.to), [least, most] = logBounds(data.points.map(point => point[1]));
    const x = at => LEFT + (at - from) / (to - from) * (box.width - LEFT - 6), y = ms => TOP + (1 - Math.log(Math.max(ms, least) / least) / Math.log(most / least)) * (box.height - TOP - BOTTOM);
    scale = { from, to, left: LEFT, width: box.width - LEFT - 6 };
    const colours = coloursOf(canvas), { '--dim': dim, '--line': lines } = colours;
    pen.scale(ratio, ratio); pen.font = `11px ${sans}`; pen.textBaseline = 'middle'; pen.lineWidth = 1;
    const text = (words, px, py, align) => { pen.fillStyle = dim; pen.textAlign = align; pen.fillText(words, px, py); };
    const rule = (x1, y1, x2, y2) => { pen.strokeStyle = lines; pen.beginPath(); pen.moveTo(x1, y1); pen.lineTo(x2, y2); pen.stroke(); };
    for (const at of durationTicks(least, most)) { const py = Math.round(y(at)) + .5; rule(LEFT, py, box.width, py); text(duration(at), LEFT - 8, py, 'right'); }
    for (const { at, text: words } of timeTicks(from, to, scale.width, isUtc() ? 0 : -new Date(from).getTimezoneOffset() * 6e4)) { const px = Math.round(x(at)) + .5; rule(px, TOP, px, box.height - BOTTOM); text(words, px, box.height - BOTTOM / 2, 'center'); }
    rule(LEFT, box.height - BOTTOM + .5, box.width, box.height - BOTTOM + .5);
    places = data.points.map(point => [x(point[0]), y(point[1]), point]);
    // The worst last, so that nothing hides it.
    for (const state of [...new Set(data.points.map(point => point[2]))].sort((a, b) => (a === 'failed') - (b === 'failed'))) {
      pen.fillStyle = pen.strokeStyle = colours[COLOURS[state] ?? '--idle'];
      for (const [px, py, point] of places) if (point[2] === state) shape(pen, state, px, py);
    }
    const failed = data.points.filter(point => point[2] === 'failed').length, words = `${many(data.runs, 'run')}${data.runs > data.points.length ? ` as ${data.points.length.toLocaleString('en')} points, the worst of each kept` : ''}`;
    show(count, words);
    canvas.setAttribute('aria-label', `Duration of runs over time: ${words}; ${failed} failed. The list of runs has the same as text.`);
    twin.setAttribute('href', link(['runs'], { pipeline, since: data.from }));
  };
  const nearest = event => { const box = canvas.getBoundingClientRect(), mx = event.clientX - box.left, my = event.clientY - box.top; let best, far = 14 ** 2;
    for (const place of places) { const d = (place[0] - mx) ** 2 + (place[1] - my) ** 2; if (d < far) { far = d; best = place; } } return best; };
  canvas.addEventListener('pointerdown', event => { if (event.pointerType === 'mouse') drag = event.offsetX; });
  canvas.addEventListener('pointermove', event => {
    const hit = nearest(event); tip.hidden = !hit; canvas.style.cursor = hit ? 'pointer' : '';
    if (hit) { const [px, py, [at, ms, state, behind, run]] = hit; show(tip, el('strong', run.split('/')[0]), ` ${label(state)}, ${duration(ms)}`, el('br'), dateText(new Date(at), 'minute', isUtc()), behind > 1 && `, the worst of ${behind}`);
      tip.style.top = `${py + 24}px`; const left = px > canvas.clientWidth / 2; tip.style.left = left ? '' : `${px + 24}px`; tip.style.right = left ? `${canvas.clientWidth - px + 24}px` : ''; }
  });
  canvas.addEventListener('pointerleave', () => { tip.hidden = true; drag = null; });
  canvas.addEventListener('pointerup', event => {
    const ends = drag == null ? [] : [drag, event.offsetX].sort((a, b) => a - b); drag = null;
    if (ends[1] - ends[0] > 12) { const [from, to] = ends.map(px => new Date(scale.from + Math.max(0, px - scale.left) / scale.width * (scale.to - scale.from)).toISOString()); return ctx.set({ from, to }, true); }
    const hit = nearest(event); if (hit) ctx.go(runLink(hit[2][4]));
  });
  const twin = el('a', { href: link(['runs'], { pipeline }) }, 'as a list');
  show(root, el('header', el('h2', 'Duration over time'), count, ranges, twin), el('div.chart', canvas, tip));
  const seen = new ResizeObserver(draw); seen.observe(canvas);
  ctx.signal.addEventListener('abort', () => seen.disconnect());
  onTheme(ctx, draw);
  load();
  return { load, update: keys => { if (typeof keys === 'string' || keys.some(key => ['range', 'from', 'to'].includes(key))) load(); } };
}
