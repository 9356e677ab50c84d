// Time travel: a run as of any of its records. The record is in the URL; without one the page is live.
import { el, svg, show, dateText, isUtc, button } from './base.js';

const icon = d => svg('svg', { class: 'mark solid', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d }));

export function scrubber(ctx, run) {
  const range = el('input', { type: 'range', min: 1, class: 'scrub', 'aria-label': 'Record' }), told = el('span.dim.nowrap.scrub-at');
  const records = () => run.answer.records;
  const go = (at, push) => ctx.set({ record: at >= records().last && (run.answer.run.finished || push === 'live') ? null : Math.max(1, Math.min(records().last, at)) }, push === true);
  const step = by => go(records().at + by);
  const live = () => ctx.set({ record: null }, true);
  const liveButton = button('Live', live, { title: 'Back to now (.)' });
  let dragged;
  // The URL is replaced while the slider is dragged.
  range.addEventListener('input', () => { dragged = true; say(Number(range.value)); go(Number(range.value)); });
  range.addEventListener('change', () => { dragged = false; });
  const say = at => {
    const { last, at_ms: ms, at: now } = records();
    const date = run.answer.started ? dateText(new Date(run.answer.started + ms), 'milli', isUtc()).slice(11) : '';
    show(told, at === now ? `${date} · ` : '', `${at.toLocaleString('en')} of ${last.toLocaleString('en')}`);
    range.setAttribute('aria-valuetext', `record ${at} of ${last}${at === now ? `, ${date}` : ''}`);
  };
  const update = () => {
    const { at, last } = records(), past = ctx.get('record') != null;
    range.max = last;
    if (!dragged) range.value = at;
    say(dragged ? Number(range.value) : at);
    liveButton.textContent = run.answer.run.finished && !past ? 'End' : past && run.answer.ended ? 'End' : 'Live';
    liveButton.setAttribute('aria-pressed', String(!past));
    node.classList.toggle('past', past);
  };
  const node = el('div.row.scrubber', { role: 'group', 'aria-label': 'Time travel' }, button(icon('M4 3v10M13 3v10L6 8z'), () => go(1), { class: 'quiet icon', 'aria-label': 'First record' }), button(icon('M12 3v10L5 8z'), () => step(-1), { class: 'quiet icon', 'aria-label': 'Record back', title: 'Record back ([)' }), range, button(icon('M4 3v10l7-5z'), () => step(1), { class: 'quiet icon', 'aria-label': 'Record on', title: 'Record on (])' }), liveButton, told);
  /** The run has new records while the page shows its past. */
  const ahead = () => { liveButton.textContent = 'Live ●'; };
  return { node, update, step, live, ahead };
}
