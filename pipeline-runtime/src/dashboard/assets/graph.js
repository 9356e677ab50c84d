// The graph on a canvas: pan, zoom, the state of each node. The treegrid of the Gantt is its alternative for keyboards and screen readers.
import { el, show, api, label, button, coloursOf, onTheme, trouble } from './base.js';

const COLOURS = { success: '--ok', failed: '--bad', upstream_failed: '--bad', running: '--go', up_for_retry: '--retry', up_for_reschedule: '--data', blocked: '--blocked' };
const GLYPHS = { success: '✓', failed: '✗', upstream_failed: '⊘', running: '●', up_for_retry: '↻', up_for_reschedule: '⧗', queued: '…', skipped: '»', removed: '−', scheduled: '◔' };
/** The scale and position at which a drawing fits. */
export const fit = (width, height, w, h) => { const scale = Math.min(1.25, Math.max(.02, Math.min((w - 32) / width, (h - 32) / height))); return { scale, x: (w - width * scale) / 2, y: (h - height * scale) / 2 }; };

export default async function graph(ctx, host, run) {
  const canvas = el('canvas.graph', { role: 'img', tabindex: 0 }), failure = el('div');
  let data, states = [], at, drag, moved, busy, again, colours, frame, places = new Map();
  const selected = () => ctx.get('node');
  const pipelineOnly = !run.path.includes('runs');

  const load = async whole => {
    if (busy) { again ||= whole || 'states'; return; }
    busy = true;
    try {
      const record = ctx.get('record');
      if (whole || !data) {
        data = await api([...run.path, 'graph'], { record }, ctx);
        places = new Map(data.boxes.map((box, i) => [box.node, i]));
        states = data.boxes.map(box => box.state);
      } else if (!pipelineOnly) states = (await api([...run.path, 'graph'], { record, states: 'only' }, ctx)).states;
      show(failure); at ??= fit(data.width, data.height, canvas.clientWidth, canvas.clientHeight); soon();
    } catch (error) { if (error.status) show(failure, trouble(error)); } finally { busy = false; const next = again; again = false; if (next) load(next === true); }
  };

  const soon = () => { frame ??= requestAnimationFrame(() => { frame = undefined; draw(); }); };
  const draw = () => {
    if (!data || !canvas.clientWidth) return;
    colours ??= coloursOf(canvas);
    const w = canvas.clientWidth, h = canvas.clientHeight, ratio = devicePixelRatio, pen = canvas.getContext('2d');
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) { canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio); }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0); pen.clearRect(0, 0, w, h);
    pen.setTransform(ratio * at.scale, 0, 0, ratio * at.scale, ratio * at.x, ratio * at.y);
    const [left, top, right, bottom] = [-at.x / at.scale, -at.y / at.scale, (w - at.x) / at.scale, (h - at.y) / at.scale], thin = Math.max(1, .7 / at.scale), chosen = selected() != null ? places.get(selected()) : undefined;
    const edge = one => { const p = one.points, n = p.length; pen.moveTo(p[0], p[1]); for (let i = 2; i < n; i += 2) { const mid = (p[i - 2] + p[i]) / 2; pen.bezierCurveTo(mid, p[i - 1], mid, p[i + 1], p[i], p[i + 1]); } };
    const seen = one => { let [x1, x2, y1, y2] = [Infinity, -Infinity, Infinity, -Infinity]; for (let i = 0; i < one.points.length; i += 2) { const x = one.points[i], y = one.points[i + 1]; if (x < x1) x1 = x; if (x > x2) x2 = x; if (y < y1) y1 = y; if (y > y2) y2 = y; } return x2 >= left && x1 <= right && y2 >= top && y1 <= bottom; };
    const edges = data.edges.filter(seen);
    pen.lineWidth = thin * 1.3; pen.strokeStyle = colours['--strong'];
    for (const dashed of [false, true]) { pen.setLineDash(dashed ? [5, 4] : []); pen.globalAlpha = .65; pen.beginPath(); for (const one of edges) if (!!one.ordered === dashed) edge(one); pen.stroke(); }
    pen.setLineDash([]); pen.globalAlpha = 1;
    if (chosen !== undefined) { pen.strokeStyle = colours['--accent']; pen.lineWidth = thin * 2; pen.beginPath(); for (const one of edges) if (one.from === chosen || one.to === chosen) edge(one); pen.stroke(); }
    pen.textBaseline = 'middle';
    const detail = at.scale > .32, mono = getComputedStyle(canvas).getPropertyValue('--mono');
    data.boxes.forEach((box, i) => {
      if (box.x > right || box.x + box.w < left || box.y > bottom || box.y + box.h < top) return;
      const state = states[i] ?? 'none', colour = colours[COLOURS[state] ?? '--idle'];
      if (!detail) { pen.fillStyle = colour; pen.globalAlpha = state === 'none' ? .35 : 1; pen.fillRect(box.x, box.y, box.w, box.h); pen.globalAlpha = 1; if (i === chosen) { pen.strokeStyle = colours['--accent']; pen.lineWidth = 3 / at.scale; pen.strokeRect(box.x, box.y, box.w, box.h); } return; }
      const shape = (dx, dy) => { pen.beginPath(); pen.roundRect(box.x + dx, box.y + dy, box.w, box.h, box.kind === 'sensor' ? box.h / 2 : box.kind === 'gate' ? 2 : 7); };
      pen.lineWidth = i === chosen ? 2.5 : 1.3; pen.strokeStyle = i === chosen ? colours['--accent'] : pipelineOnly || state === 'none' ? colours['--strong'] : colour;
      if (box.kind === 'mapping') { shape(4, 4); pen.fillStyle = colours['--raised']; pen.fill(); pen.stroke(); }
      shape(0, 0); pen.fillStyle = i === chosen ? colours['--chosen'] : colours['--raised']; pen.fill();
      if (state === 'none' && !pipelineOnly) pen.setLineDash([3, 3]);
      pen.stroke(); pen.setLineDash([]);
      let x = box.x + 12;
      if (!pipelineOnly) { pen.fillStyle = colour; pen.font = '600 13px system-ui, sans-serif'; pen.textAlign = 'center'; pen.fillText(GLYPHS[state] ?? '○', box.x + 16, box.y + box.h / 2 + .5); x = box.x + 30; }
      pen.fillStyle = colours['--text']; pen.font = `12px ${mono}`; pen.textAlign = 'left';
      const room = box.x + box.w - 8 - x; let text = box.label;
      if (pen.measureText(text).width > room) { const each = pen.measureText('m').width, n = Math.max(3, Math.floor(room / each) - 1); text = `${text.slice(0, Math.ceil(n * .6))}…${text.slice(-Math.floor(n * .4))}`; }
      pen.fillText(text, x, box.y + box.h / 2 + .5);
    });
    const counts = {}; for (const state of states) counts[state ?? 'none'] = (counts[state ?? 'none'] ?? 0) + 1;
    canvas.setAttribute('aria-label', `Graph of ${data.boxes.length} nodes and ${data.edges.length} edges${pipelineOnly ? '' : `: ${Object.entries(counts).map(([state, n]) => `${n} ${label(state)}`).join(', ')}. The Gantt has the same nodes as a list`}. Arrow keys move it, plus and minus zoom.`);
  };

  const zoom = (factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) => { const scale = Math.min(3, Math.max(.004, at.scale * factor)), k = scale / at.scale; at = { scale, x: x - (x - at.x) * k, y: y - (y - at.y) * k }; soon(); };
  const whole = () => { at = fit(data.width, data.height, canvas.clientWidth, canvas.clientHeight); soon(); };
  const hit = event => { const x = (event.offsetX - at.x) / at.scale, y = (event.offsetY - at.y) / at.scale, i = data?.boxes.findIndex(box => x >= box.x && x <= box.x + box.w && y >= box.y && y <= box.y + box.h); return i >= 0 ? i : undefined; };
  canvas.addEventListener('wheel', event => { if (!at) return; event.preventDefault(); if (event.ctrlKey || !event.shiftKey && Math.abs(event.deltaX) < 1 && Number.isInteger(event.deltaY) && Math.abs(event.deltaY) >= 50) zoom(Math.exp(-Math.sign(event.deltaY) * .16), event.offsetX, event.offsetY); else { at.x -= event.deltaX; at.y -= event.deltaY; soon(); } }, { passive: false });
  canvas.addEventListener('pointerdown', event => { drag = [event.clientX, event.clientY]; moved = false; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener('pointermove', event => {
    if (!at) return;
    if (!drag) { const i = hit(event); canvas.style.cursor = i === undefined ? 'grab' : 'pointer'; canvas.title = i === undefined ? '' : `${data.boxes[i].node}${pipelineOnly ? '' : ` – ${label(states[i] ?? 'none')}`}`; return; }
    const [x, y] = drag, dx = event.clientX - x, dy = event.clientY - y;
    if (!moved && Math.hypot(dx, dy) < 4) return;
    moved = true; at.x += dx; at.y += dy; drag = [event.clientX, event.clientY]; soon();
  });
  canvas.addEventListener('pointerup', event => { drag = undefined; if (moved || !at) return; const i = hit(event); if (!pipelineOnly) ctx.set({ node: i === undefined ? null : data.boxes[i].node, attempt: null }, true); });
  canvas.addEventListener('keydown', event => {
    const does = at && { ArrowLeft: () => { at.x += 60; }, ArrowRight: () => { at.x -= 60; }, ArrowUp: () => { at.y += 60; }, ArrowDown: () => { at.y -= 60; }, '+': () => zoom(1.3), '=': () => zoom(1.3), '-': () => zoom(1 / 1.3), 0: whole }[event.key];
    if (does && !event.ctrlKey && !event.metaKey) { event.preventDefault(); event.stopPropagation(); does(); soon(); }
  });
  const centre = () => { const i = selected() == null ? undefined : places.get(selected()); if (i === undefined || !at) return; const box = data.boxes[i], x = box.x * at.scale + at.x, y = box.y * at.scale + at.y; if (x < 0 || y < 0 || x > canvas.clientWidth - 40 || y > canvas.clientHeight - 40) { at.x = canvas.clientWidth / 2 - (box.x + box.w / 2) * at.scale; at.y = canvas.clientHeight / 2 - (box.y + box.h / 2) * at.scale; } };
  show(host, failure, el('div.graph-box', canvas, el('div.seg.over', { role: 'group', 'aria-label': 'Zoom' }, button('−', () => zoom(1 / 1.4), { 'aria-label': 'Zoom out' }), button('fit', whole), button('+', () => zoom(1.4), { 'aria-label': 'Zoom in' }))));
  const resized = new ResizeObserver(soon); resized.observe(canvas);
  onTheme(ctx, () => { colours = undefined; soon(); });
  await load(true);
  centre();
  return { update: (keys, fresh) => { if (keys === 'time') return; if (fresh) return load(false); centre(); soon(); }, close: () => resized.disconnect() };
}
