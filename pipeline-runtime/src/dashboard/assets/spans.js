// The activities of a node as bars: pure functions from spans of time to shapes.
export const KINDS = ['worked', 'poked', 'data', 'retry', 'queued', 'nobody'];
export const KIND_TEXT = { worked: 'worked', poked: 'poked', data: 'waited for data', retry: 'waited for a retry', queued: 'queued', nobody: 'no process had the run' };

/** The bars of one row within `from`..`until` on `width` pixels. Bars of a kind that are less than a pixel apart are one. An open span ends at `now`; one that ends with one of the `failures` is bad. */
export const bars = (spans, { from, until, width, now, failures = [] }) => {
  const scale = width / (until - from), out = [], last = [];
  for (const [kind, start, end, count = 1] of spans) {
    const stop = end ?? Math.max(now, start);
    if (stop < from || start > until) continue;
    const x = (Math.max(start, from) - from) * scale, w = (Math.min(stop, until) - Math.max(start, from)) * scale;
    const bad = kind < 2 && end != null && failures.some(at => Math.abs(at - end) < 1);
    const before = last[kind];
    if (before && before.bad === bad && x - (before.x + before.w) < 1) { before.w = Math.max(before.w, x + w - before.x); before.until = stop; before.count += count; before.open ||= end == null; continue; }
    out.push(last[kind] = { kind, x, w, from: start, until: stop, count, open: end == null, bad });
  }
  for (const bar of out) if (bar.w < 2) { bar.x = Math.max(0, Math.min(bar.x, width - 2)); bar.w = 2; }
  // Pokes lie on the wait that they are part of.
  return out.sort((a, b) => (a.kind === 1) - (b.kind === 1) || a.x - b.x);
};
/** How long each kind took. */
export const sums = (spans, now) => { const out = [0, 0, 0, 0, 0, 0]; for (const [kind, start, end] of spans) out[kind] += Math.max(0, (end ?? Math.max(now, start)) - start); return out; };
/** A row as a sentence, for users who do not see its bars. */
export const sentence = (row, now, label, duration) => {
  const words = [], all = sums(row.spans, now);
  if (row.elements != null) words.push(`${row.elements} elements${row.states ? `: ${Object.entries(row.states).map(([state, n]) => `${n} ${label(state)}`).join(', ')}` : ''}`);
  KINDS.forEach((kind, i) => { if (all[i] > 0) words.push(`${KIND_TEXT[kind]} ${duration(all[i])}`); });
  if (row.pokes) words.push(`${row.pokes} poke${row.pokes === 1 ? '' : 's'}`);
  if (row.attempts > 1) words.push(`${row.attempts} attempts`);
  return words.join(', ') || 'has not begun';
};
/** Zooms around an instant, within 0..`most`; at least 10 ms stay visible. */
export const zoomed = ([from, until], factor, at, most) => {
  const span = Math.min(most, Math.max(10, (until - from) * factor)), left = at - (at - from) * span / (until - from);
  const start = Math.min(Math.max(0, left), most - span);
  return [start, start + span];
};
export const panned = ([from, until], by, most) => { const start = Math.min(Math.max(0, from + by), Math.max(0, most - (until - from))); return [start, start + until - from]; };
/** `zoom=FROM-UNTIL` in milliseconds. */
export const readZoom = (text, most) => { const match = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text ?? ''); if (!match) return null; const [from, until] = [Number(match[1]), Number(match[2])]; return until - from >= 1 && from < most ? [from, until] : null; };
export const writeZoom = ([from, until], most) => from <= 0 && until >= most ? null : `${Math.round(from)}-${Math.round(until)}`;

/** Browsers draw nothing below some 33 million pixels, so taller lists scroll on a scale. */
export const TALLEST = 15e6;
/** The visible rows, and the offset of the first. */
export const rowsSeen = (scroll, height, total, row, over = 6) => {
  const whole = total * row, tall = Math.min(whole, TALLEST), room = Math.max(1, tall - height);
  const top = whole <= TALLEST ? scroll : Math.min(scroll / room, 1) * (whole - height);
  const first = Math.max(0, Math.floor(top / row) - over), end = Math.min(total, Math.ceil((top + height) / row) + over);
  return { first, end, tall, shift: scroll - top };
};
/** The scroll position at which a row is visible; `scroll` itself if it already is. */
export const scrollFor = (index, scroll, height, total, row) => {
  const whole = total * row;
  const real = whole <= TALLEST ? scroll : Math.min(scroll / (TALLEST - height), 1) * (whole - height);
  const want = index * row < real ? index * row : (index + 1) * row > real + height ? (index + 1) * row - height : real;
  return want === real ? scroll : whole <= TALLEST ? want : want / (whole - height) * (TALLEST - height);
};
