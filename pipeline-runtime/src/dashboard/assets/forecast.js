// A forecast of the schedule under given assumptions. The form's state is the URL.
import { el, show, api, mark, label, rich, time, duration, table, card, empty, trouble, runLink } from './base.js';
import { suppositions, bar } from './suppose.js';

const KINDS = { takes: ['A run takes', '20m', true], stopped: ['No process serves', '2026-03-28T06:00..2026-03-31'], paused: ['It is paused', '..now, or 2026-03-28..2026-03-30'], fail: ['The interval fails that starts', '2026-03-28T02:00'], set: ['An option is', 'catchup=true'], until: ['Look ahead until', '2026-04-01', true] };
/** The periods of a row in ms from `from`: it waits from when it is due, and runs from when it begins. */
export const stretches = (row, from, until) => {
  const at = text => Math.min(until - from, Math.max(0, Date.parse(text) - from)), due = at(row.end), begins = row.begins && at(row.begins);
  return [...row.state !== 'none' && (begins ?? until - from) > due ? [['queued', due, begins]] : [], ...begins == null ? [] : [['worked', begins, row.ends ? at(row.ends) : null]]];
};

export default function forecast(ctx, pipe, host) {
  const draw = suppositions(ctx, KINDS, 'Assumptions'), form = el('div.body.stack'), result = el('div', { 'aria-live': 'polite' });
  let asked;
  const drawResult = answer => {
    const from = Date.parse(answer.now), until = Math.max(from + 1, Date.parse(answer.until)), late = answer.rows.filter(row => row.why && !(row.begins < answer.now)).length;
    show(result, el('p.padded', `${answer.rows.length} until `, time(answer.until, 'minute', true), `, ${late} of them late or without a run, assuming ${duration(answer.takes_ms)} a run.`), answer.notes.map(note => el('p.padded.dim', rich(note))),
      answer.rows.length ? table('What would run', ['Data of', 'Due', 'Runs', 'From now on', 'Why'], el('tbody', answer.rows.map(row => el('tr', el('td.nowrap', time(row.start, 'minute', true), row.run && el('div', el('a.mono', { href: runLink(`${pipe.pipeline}/${row.run}`) }, row.run))), el('td', row.local.replace(/:00 (?=[+-])/, ' ')),
        el('td', mark(row.state, true), ' ', row.begins === row.end ? 'when due' : row.begins ? time(row.begins, 'minute', true) : label(row.state), row.ends ? [' – ', time(row.ends, 'minute', true)] : row.begins && ' –'),
        el('td.wide', bar(stretches(row, from, until), until - from, label(row.state))), el('td.wide.wrap', rich(row.why))))), 'acts') : empty('Nothing would run.'));
  };
  const load = async force => {
    const given = { ...Object.fromEntries(Object.keys(KINDS).map(key => [key, ctx.all(key)])), ticks: ctx.all('until').length ? null : ctx.get('count') }, key = JSON.stringify(given);
    if (key === asked && !force) return;
    if (key !== asked) show(form, el('p.dim', 'The scheduler decides on virtual time; nothing is run. Unless stated, a process serves from now on.'), draw());
    asked = key;
    try { const answer = await api(['schedule', pipe.pipeline, 'forecast'], given, ctx); if (key === asked) drawResult(answer); } catch (error) { if (error.status && key === asked) show(result, trouble(error)); }
  };
  host.append(card('Forecast', el('header', el('h2', 'What would run')), form, result));
  return load;
}
