// The list of runs, newest first. Its filters are its URL.
import { el, show, api, chip, label, link, runLink, splitRun, time, counts, duration, dateText, isUtc, button, select, finder, meter, table, card, empty, trouble, readOnly } from './base.js';

const STATES = ['', 'running', 'queued', 'blocked', 'failed', 'success', 'cancelled'], KINDS = ['', 'scheduled', 'manual', 'backfill', 'triggered'];
const DAY = 864e5, SINCE = [['', 'ever'], [1, 'the last day'], [7, 'the last 7 days'], [30, 'the last 30 days']];

/** Rows of runs, also for the page of a pipeline. */
export const runRows = (list, { pipeline, pick, longest } = {}) => list.map(run => {
  const [name, id] = splitRun(run.run);
  return el('tr', el('td', chip(run.state)), !pipeline && el('td', el('a', { href: link(['p', name]) }, name)),
    el('td.wrap', el('a.mono', { href: runLink(run.run) }, id), run.blocked && el('div.dim', run.blocked)),
    el('td.nowrap', run.state === 'queued' && el('span.dim', 'asked for '), time(run.started, 'second')),
    el('td.num', longest && run.duration_ms != null && meter(run.duration_ms / longest, 'plainly'), run.duration_ms != null ? duration(run.duration_ms) : run.state === 'queued' ? '–' : counts(run.started, 'since')),
    el('td.nowrap', time(run.logical_date, 'minute', true)), el('td', run.kind),
    pick && el('td', el('input', { type: 'checkbox', 'aria-label': `Compare ${id}`, checked: pick.has(run.run), onchange: event => pick.change(run.run, event.target.checked) })));
});
export const runTable = (body, { pipeline, pick }) => table('List of runs', ['State', !pipeline && 'Pipeline', 'Run', 'Started', '#Took', 'Data of', 'Kind', pick && 'Compare'].filter(Boolean), body, 'runs');

export default async function runs(ctx) {
  ctx.title('Runs');
  const body = el('tbody'), bar = el('div.bar'), foot = el('div.foot'), names = el('datalist', { id: 'names' });
  let list = [], next, asked = '', busy, again;
  const filters = () => { const query = ctx.query(); return { pipeline: query.get('pipeline'), state: query.get('state'), kind: query.get('kind'), since: query.get('since') }; };
  const pick = { has: run => ctx.all('pick').includes(run), change: (run, on) => { const all = ctx.all('pick').filter(one => one !== run); ctx.set({ pick: on ? [...all, run].slice(-2) : all }); } };
  const find = finder('Pipeline', filters().pipeline, () => {}, { list: 'names', onchange: event => ctx.set({ pipeline: event.target.value.trim() }, true),
    onfocus: () => names.children.length || api(['overview'], null, ctx).then(answer => show(names, answer.pipelines.map(one => el('option', { value: one.pipeline }))), () => {}) });
  const byState = select('State', state => ctx.set({ state }, true), STATES.map(state => [state, state ? label(state) : 'all'])), byKind = select('Kind', kind => ctx.set({ kind }, true), KINDS.map(kind => [kind, kind || 'all']));
  const bySince = select('Started in', days => days !== 'x' && ctx.set({ since: days ? new Date(Date.now() - days * DAY).toISOString() : null }, true));
  const load = async after => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      // Runs that are already on the page stay on it when something changes.
      const answer = await api(['runs'], { ...filters(), limit: after ? 50 : Math.min(1000, Math.max(50, list.length)), after }, ctx);
      list = after ? [...list, ...answer.runs] : answer.runs; next = answer.next; draw();
    } catch (error) { if (error.status) show(foot, trouble(error)); } finally { busy = false; if (again) { again = false; load(); } }
  };
  /** A command for all runs of these filters, listed or not. */
  const all = (command, text) => button(text, async () => (await import('./actions.js')).ask(ctx, { command, ...filters() }, () => load()));
  const drawBar = () => {
    const f = filters(), picked = ctx.all('pick'), known = SINCE.find(([days]) => days && f.since && Math.abs(Date.now() - days * DAY - Date.parse(f.since)) < 36e5);
    show(bar, find, names, byState.set(f.state), byKind.set(f.kind),
      bySince.set(known ? String(known[0]) : f.since ? 'x' : '', [...SINCE.map(([days, text]) => [String(days), text]), ...f.since && !known ? [['x', `since ${dateText(new Date(f.since), 'minute', isUtc())}`]] : []]),
      el('span.grow'), !readOnly() && ['', 'failed', 'cancelled'].includes(f.state ?? '') && all('retry_all', 'Retry all …'), !readOnly() && ['', 'running', 'queued', 'blocked'].includes(f.state ?? '') && all('cancel_all', 'Cancel all …'), picked.length === 1 && el('span.dim', 'Pick one more to compare'), picked.length === 2 && el('a.as-button', { href: link(['compare'], { a: picked[0], b: picked[1] }) }, 'Compare 2 runs'), [...ctx.query().keys()].length > 0 && button('Clear', () => ctx.set({ pipeline: null, state: null, kind: null, since: null, pick: null }, true)));
    if (document.activeElement !== find) find.value = f.pipeline ?? '';
  };
  const draw = () => {
    const longest = filters().pipeline && Math.max(1, ...list.map(run => run.duration_ms ?? 0));
    show(body, runRows(list, { pick, longest }));
    show(foot, !list.length && empty('No run matches.'), next && button('Older runs', () => load(next)), list.length > 0 && el('span.dim', `${list.length} shown${next ? '' : ', all of them'}`));
  };
  const update = keys => { drawBar(); const key = JSON.stringify(filters()); if (key !== asked || keys === 'server' || keys === 'zone') { if (key !== asked) list = []; asked = key; return load(); } };
  show(ctx.root, el('h1', { tabindex: '-1' }, 'Runs'), card('Runs', bar, runTable(body, { pick }), foot));
  await update('url');
  ctx.live('overview', () => load());
  return { update };
}
