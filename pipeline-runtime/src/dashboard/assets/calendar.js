// A month of a pipeline: the runs of each day, and why others are missing.
import { el, show, api, mark, label, link, runLink, time, why, clock, button, card, trouble, readOnly } from './base.js';

const DAY = 864e5, ORDER = ['failed', 'blocked', 'running', 'queued', 'cancelled', 'success'];
const day = at => new Date(at).toISOString().slice(0, 10);
/** The weeks of a month as dates, Monday first, filled up with days of other months. */
export const weeks = month => {
  const first = Date.parse(`${month}-01T00:00:00Z`), start = first - (new Date(first).getUTCDay() + 6) % 7 * DAY, out = [];
  for (let at = start; at === start || day(at).slice(0, 7) === month; at += 7 * DAY) out.push(Array.from({ length: 7 }, (_, i) => day(at + i * DAY)));
  return out;
};
export const otherMonth = (month, by) => { const [year, m] = month.split('-').map(Number); return new Date(Date.UTC(year, m - 1 + by, 1)).toISOString().slice(0, 7); };

export async function calendar(ctx, pipe, host) {
  const bar = el('div.bar'), grid = el('div.scroll'), side = el('section.card', { 'aria-label': 'Day', hidden: true });
  let asked, days = new Map(), zone = '';
  // Days are in the schedule's zone.
  const today = () => new Date(clock.now()).toLocaleDateString('sv', { timeZone: pipe.timezone ?? 'UTC' });
  const month = () => /^\d{4}-\d\d$/.test(ctx.get('month') ?? '') ? ctx.get('month') : today().slice(0, 7);
  const cell = (date, now) => {
    const one = days.get(date), other = date.slice(0, 7) !== now, missing = one?.missing ?? 0, states = ORDER.filter(state => one?.runs[state]);
    const text = [states.map(state => `${one.runs[state]} ${label(state)}`).join(', '), missing && `${missing} without a run: ${one.why}`].filter(Boolean).join('; ');
    return el('td', { class: `day${other ? ' other' : ''}${date === ctx.get('day') ? ' at' : ''}${date === today() ? ' today' : ''}` }, el('a', { href: link(['p', pipe.pipeline, 'calendar'], { month: now, day: date }), title: text },
      el('span.date', String(Number(date.slice(8)))), el('span.sr', ` ${text || 'nothing'}`), el('span.marks', { 'aria-hidden': 'true' }, states.map(state => el('span', { class: `s-${state}` }, mark(state), one.runs[state] > 1 ? ` ${one.runs[state]}` : '')), missing > 0 && el('span.dim', mark('none'), missing > 1 ? ` ${missing}` : '')), missing > 0 && !other && el('span.reason.cut1', { 'aria-hidden': 'true' }, one.why)));
  };
  const fill = (from, to, what) => !readOnly() && pipe.known && el('a', { href: link(['p', pipe.pipeline, 'backfill'], { from, to }) }, `Backfill this ${what} …`);
  const draw = () => {
    const now = month(), rows = weeks(now), name = new Date(`${now}-01T00:00:00Z`).toLocaleDateString('en', { month: 'long', year: 'numeric', timeZone: 'UTC' });
    show(bar, button('←', () => ctx.set({ month: otherMonth(now, -1), day: null }, true), { 'aria-label': 'Month before' }), el('h2', name), button('→', () => ctx.set({ month: otherMonth(now, 1), day: null }, true), { 'aria-label': 'Month after' }), el('span.dim.grow', zone && `Days of ${zone}`), fill(`${now}-01`, day(Date.parse(`${otherMonth(now, 1)}-01`) - DAY), 'month'));
    show(grid, el('table.calendar', { 'aria-label': name }, el('thead', el('tr', ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].map(text => el('th', text)))), el('tbody', rows.map(week => el('tr', week.map(date => cell(date, now)))))));
    const chosen = ctx.get('day'), one = days.get(chosen);
    side.hidden = !chosen;
    if (chosen) show(side, el('header', el('h2.grow', chosen), fill(chosen, chosen, 'day')),
      one?.intervals.length ? el('ul.items', one.intervals.map(interval => el('li', mark(interval.state ?? 'none', true), el('span.grow', time(interval.start, 'minute', true), ' – ', time(interval.end, 'minute', true)), interval.run ? el('a.mono', { href: runLink(interval.run) }, interval.run.slice(interval.run.indexOf('/') + 1)) : el('span.dim', why({ text: interval.why ?? 'no run', runs: interval.held_by, changes_at: interval.changes_at }))))) : el('p.empty', 'No interval of its schedule begins on this day.'));
  };
  const load = async force => {
    const now = month();
    if (force || asked !== now) {
      asked = now;
      const all = weeks(now).flat();
      try { const answer = await api(['calendar', pipe.pipeline], { from: all[0], to: day(Date.parse(all.at(-1)) + DAY) }, ctx); if (asked !== now) return; zone = answer.timezone ?? ''; days = new Map(answer.days.map(one => [one.date, one])); } catch (error) { if (error.status) return show(grid, trouble(error)); }
    }
    draw();
    // For a schedule with many intervals the month only has counts.
    const chosen = ctx.get('day'), one = days.get(chosen);
    if (one && one.intervals.length < one.total) try { const { days: [whole] } = await api(['calendar', pipe.pipeline], { from: chosen, to: day(Date.parse(chosen) + DAY) }, ctx); if (whole) { days.set(chosen, whole); draw(); } } catch (error) { if (error.status) show(side, trouble(error)); }
  };
  show(host, card('Calendar', bar, grid), side);
  await load();
  return { update: keys => load(keys === 'server'), fresh: () => load(true) };
}
