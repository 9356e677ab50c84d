// A pipeline: its last runs, its calendar, its next ticks, its graph.
import { el, show, api, chip, link, rich, why, time, counts, many, duration, button, table, card, titled, empty, trouble, readOnly } from './base.js';
import { strip } from './overview.js';

const TABS = [[undefined, 'Runs'], ['calendar', 'Calendar'], ['schedule', 'Schedule'], ['graph', 'Graph'], ['details', 'Details']];

const runsTab = async (ctx, pipe, host) => {
  const [{ scatter }, { runRows, runTable }] = await Promise.all([import('./scatter.js'), import('./runs.js')]);
  const chart = card('Duration over time'), body = el('tbody'), foot = el('div.foot');
  const load = async () => { const { runs } = await api(['runs'], { pipeline: pipe.pipeline, limit: 25 }, ctx); show(body, runRows(runs, { pipeline: pipe.pipeline, longest: Math.max(1, ...runs.map(run => run.duration_ms ?? 0)) })); show(foot, runs.length ? el('a', { href: link(['runs'], { pipeline: pipe.pipeline }) }, 'All runs, with filters') : empty('It has not run yet.')); };
  show(host, chart, titled('Last runs', runTable(body, { pipeline: true }), foot));
  const drawn = scatter(ctx, chart, { pipeline: pipe.pipeline });
  await load();
  return { update: keys => drawn.update(keys), fresh: load };
};

const scheduleTab = async (ctx, pipe, host) => {
  const bar = el('div.bar'), body = el('tbody'), said = el('p.dim.grow');
  const load = async () => {
    const count = ctx.get('count') ?? '20', at = ctx.get('at');
    show(bar, said, el('label.field', el('span', 'From'), el('input', { type: 'date', value: at?.slice(0, 10) ?? '', onchange: event => ctx.set({ at: event.target.value || null }, true) })),
      el('label.field', el('span', 'Ticks'), el('input', { type: 'number', min: 1, max: 500, value: count, onchange: event => ctx.set({ count: event.target.value }, true) })));
    try {
      const { timezone, ticks } = await api(['schedule', pipe.pipeline], { count, at }, ctx);
      show(said, ticks.length ? `The next ticks of the schedule, in ${timezone} and in your zone.` : 'It has no ticks.');
      show(body, ticks.map(tick => el('tr', el('td.nowrap', tick.local), el('td.nowrap', time(tick.at, 'minute', true)), el('td.nowrap.dim', at ? '' : counts(tick.at)), el('td.nowrap', tick.interval_start && [time(tick.interval_start, 'minute', true), ' – ', time(tick.interval_end, 'minute', true)]), el('td.wrap', tick.note && el('span.note.warn', rich(tick.note))))));
    } catch (error) { if (error.status) show(body, el('tr', el('td', { colspan: 5 }, trouble(error)))); }
  };
  show(host, card('Schedule', bar, table('Ticks', [pipe.timezone ?? 'Schedule', 'Your time', 'When', 'Data interval', 'Remark'], body)));
  const foretell = pipe.schedule && pipe.known ? (await import('./forecast.js')).default(ctx, pipe, host) : () => {};
  await Promise.all([load(), foretell()]);
  return { update: keys => Promise.all([load(), foretell(keys === 'server' || keys === 'zone')]), fresh: () => foretell(true) };
};

const detailsTab = async (ctx, pipe, host) => {
  const { optionList } = await import('./node.js'), { nodes = [], params, description, pipeline, ...plan } = pipe.plan ?? {};
  show(host, pipe.error && el('div.note.bad', rich(pipe.error)), el('div.cols', titled('Options', el('div.body', optionList(plan) || '–')), params != null && titled('Parameters, by default', el('div.body', el('pre.json', { tabindex: 0, 'aria-label': 'Parameters' }, JSON.stringify(params, null, 2))))),
    nodes.length > 0 && titled(`Nodes (${nodes.length})`, table('List of nodes', ['Node', 'Kind', 'What it does', 'Wired'], el('tbody', nodes.slice(0, 1000).map(node => el('tr', el('td.mono.wrap', node.kind === 'sensor' ? el('a', { href: link(['s', pipe.pipeline, node.id]) }, node.id) : node.id), el('td', node.kind), el('td.wrap', node.description ?? ''), el('td.mono.dim.wrap', node.wired_at ?? '')))))));
  return {};
};
const graphTab = async (ctx, pipe, host) => { const frame = card('Graph'); show(host, frame); const { default: graph } = await import('./graph.js'); return graph(ctx, frame, { path: ['pipelines', pipe.pipeline] }); };

export default async function pipeline(ctx) {
  const [, name, tab] = ctx.path, head = el('div.stack'), host = el('div.stack.loose');
  ctx.title(tab ? `${name}, ${tab}` : name);
  let pipe = await api(['pipelines', name], null, ctx), view;
  const pause = () => import('./actions.js').then(module => module.ask(ctx, { command: 'pause', pipeline: name, paused: !pipe.paused }, refresh));
  const draw = () => show(head,
    el('div.head',
      el('div.grow', el('p.crumbs', el('a', { href: '.' }, 'Overview')), el('h1', { tabindex: '-1' }, name), pipe.description && el('p.dim', pipe.description),
        el('div.sub', pipe.paused ? chip('paused') : el('span', pipe.when ?? pipe.schedule ?? 'manual'), pipe.timezone && el('span', pipe.timezone), pipe.next_run && el('span', 'next ', counts(pipe.next_run), ' at ', time(pipe.next_run)), (pipe.tags ?? []).map(tag => el('span.tag', tag)), !pipe.known && el('span.tag', 'only in the journal'))),
      !readOnly() && pipe.known && el('div.actions', button(pipe.paused ? 'Unpause …' : 'Pause …', pause), pipe.schedule && el('a.as-button', { href: link(['p', name, 'backfill']) }, 'Backfill …'), el('a.as-button.main', { href: link(['p', name, 'trigger']) }, 'Trigger …'))),
    pipe.why && (!pipe.next_run || pipe.why.runs.length > 0) && el('p.note', why(pipe.why)),
    el('section.card.tiles', { 'aria-label': 'At a glance' }, el('div', el('p.name', `Last ${many(pipe.last.length, 'run')}`), pipe.last.length ? strip(pipe.last, name) : el('p', '–')), [['Median', duration(pipe.p50_ms)], ['95 %', duration(pipe.p95_ms)], ['Success', pipe.success == null ? '–' : `${Math.floor(pipe.success * 100)} %`], ['Active', pipe.active], ['Queued', pipe.queued]].filter(([, value]) => value != null && value !== '–').map(([text, value]) => el('div', el('p.name', text), el('p.big', value)))),
    el('nav.seg', { 'aria-label': 'Views of the pipeline' }, TABS.map(([key, text]) => el('a', { href: link(['p', name, key].filter(Boolean)), 'aria-current': key === tab ? 'page' : null }, text))));
  const refresh = async () => { try { pipe = await api(['pipelines', name], null, ctx); draw(); await view?.fresh?.(); } catch { /* the banner shows it */ } };
  draw(); show(ctx.root, head, host);
  view = await (!pipe.schedule && ['calendar', 'schedule'].includes(tab) ? (show(host, card('Schedule', empty(`It has no schedule${pipe.when ? `, but runs on updates: ${pipe.when}` : ''}.`))), {}) : tab === 'calendar' ? (await import('./calendar.js')).calendar(ctx, pipe, host) : { schedule: scheduleTab, graph: graphTab, details: detailsTab }[tab]?.(ctx, pipe, host) ?? runsTab(ctx, pipe, host));
  ctx.live('overview', refresh);
  return { update: keys => { if (keys === 'zone' || keys === 'server') refresh(); return view?.update?.(keys, false); }, close: () => view?.close?.(), keys: { t: ['Trigger', () => ctx.go(link(['p', name, 'trigger']))] } };
}
