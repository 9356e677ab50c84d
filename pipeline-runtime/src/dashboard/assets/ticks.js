// The ticks of an axis. Nothing here depends on the page.
const S = 1000, M = 60 * S, H = 60 * M, D = 24 * H;
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, S, 2 * S, 5 * S, 10 * S, 15 * S, 30 * S, M, 2 * M, 5 * M, 10 * M, 15 * M, 30 * M, H, 2 * H, 3 * H, 6 * H, 12 * H, D, 2 * D, 7 * D, 14 * D, 28 * D, 91 * D, 364 * D];
const stepFor = (span, most) => STEPS.find(step => span / step <= most) ?? STEPS.at(-1) * Math.ceil(span / STEPS.at(-1) / most);

/** Offsets from a run's start: round steps, at most one per `gap` pixels. */
export const offsetTicks = (from, until, width, gap = 90) => {
  const step = stepFor(until - from, Math.max(1, Math.floor(width / gap))), ticks = [];
  for (let at = Math.ceil(from / step) * step; at <= until; at += step) ticks.push({ at, text: offsetText(at, step) });
  return ticks;
};
/** 0 · 250 ms · 30 s · 4:30 · 1:02:30: as fine as the step needs. */
export const offsetText = (at, step) => {
  if (at === 0) return '0';
  if (step < S) return at < S ? `${at} ms` : `${(at / S).toFixed(3).replace(/0+$/, '').replace(/\.$/, '')} s`;
  const s = Math.round(at / S), two = n => String(n).padStart(2, '0');
  if (s < 60) return `${s} s`;
  const days = Math.floor(s / 86400), hours = Math.floor(s % 86400 / 3600), minutes = Math.floor(s % 3600 / 60);
  if (step >= D) return `${days} d`;
  if (days) return `${days} d ${two(hours)}:${two(minutes)}`;
  return s < 3600 ? s % 60 || step < M ? `${minutes}:${two(s % 60)}` : `${minutes} m` : step < M ? `${hours}:${two(minutes)}:${two(s % 60)}` : minutes || step < H ? `${hours}:${two(minutes)}` : `${hours} h`;
};
/** Dates on a wall clock that is `zone` ms ahead of UTC. */
export const timeTicks = (from, until, width, zone = 0, gap = 80) => {
  const step = stepFor(until - from, Math.max(1, Math.floor(width / gap))), ticks = [];
  for (let at = Math.ceil((from + zone) / step) * step - zone; at <= until; at += step) {
    const iso = new Date(at + zone).toISOString();
    ticks.push({ at, text: step >= D || iso.slice(11, 16) === '00:00' ? iso.slice(5, 10) : iso.slice(11, step < M ? 19 : 16) });
  }
  return ticks;
};
const COARSE = [1, 10, 100, S, 10 * S, M, 10 * M, H, 6 * H, D, 7 * D, 30 * D], FINE = [1, 2, 5, 10, 20, 50, 100, 200, 500, S, 2 * S, 5 * S, 10 * S, 20 * S, 30 * S, M, 2 * M, 5 * M, 10 * M, 20 * M, 30 * M, H, 2 * H, 3 * H, 6 * H, 12 * H, D, 2 * D, 7 * D, 14 * D, 30 * D];
/** Round durations within a range, for a logarithmic axis. */
export const durationTicks = (least, most) => { const within = list => list.filter(at => at >= least && at <= most), few = within(COARSE); return few.length > 2 ? few : within(FINE); };
/** The bounds of a logarithmic axis that shows all of these values, with some margin. */
export const logBounds = values => {
  let least = Infinity, most = 0;
  for (const value of values) { if (value > 0 && value < least) least = value; if (value > most) most = value; }
  return most ? [Math.max(.5, least / 1.6), most * 1.6] : [S, H];
};
/** Counts values in equal bins from 0 to `until`. The last bin includes larger ones. */
export const bins = (values, until, count) => { const out = new Array(count).fill(0); for (const value of values) out[Math.min(count - 1, Math.max(0, Math.floor(value / until * count)))]++; return out; };
