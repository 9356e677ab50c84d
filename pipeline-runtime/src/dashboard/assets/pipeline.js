// A pipeline: its last runs, its calendar, its next ticks, its graph.
import { el, show, api, chip, link, rich, why, time, counts, duration, button, readOnly, empty, trouble } from './base.js';
import { strip } from './overview.js';

const TABS = [[undefined, 'Runs'], ['calendar', 'Calendar'], ['schedule', 'Schedule'], ['graph', 'Graph'], ['details', 'Details']];

const runsTab = async (ctx, pipe, host) => {
  const [{ scatter }, { runRows, runHead }] = await Promise.all([import('./scatter.js'), import('./runs.js')]);
  const chart = el('section', { class: 'card', 'aria-label': 'Duration over time' }), body = el('tbody'), foot = el('div', { class: 'foot' });
  const load = async () => { const { runs } = await api(['runs'], { pipeline: pipe.pipeline, limit: 25 }, ctx); show(body, runRows(runs, { pipeline: pipe.pipeline, longest: Math.max(1, ...runs.map(run => run.duration_ms ?? 0)) })); show(foot, runs.length ? el('a', { href: link(['runs'], { pipeline: pipe.pipeline }) }, 'All runs, with filters') : empty('It has not run yet.')); };
  show(host, chart, el('section', { class: 'card', 'aria-label': 'Last runs' }, el('header', null, el('h2', null, 'Last runs')), el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'List of runs' }, el('table', { class: 'runs' }, runHead({ pipeline: true }), body)), foot));
  const drawn = scatter(ctx, chart, { pipeline: pipe.pipeline });
  await load();
  return { update: keys => drawn.update(keys), fresh: load };
};

const scheduleTab = async (ctx, pipe, host) => {
  const bar = el('div', { class: 'bar' }), body = el('tbody'), said = el('p', { class: 'dim grow' });
  const load = async () => {
    const count = ctx.query().get('count') ?? '20', at = ctx.query().get('at');
    show(bar, said, el('label', { class: 'field' }, el('span', null, 'From'), el('input', { type: 'date', value: at?.slice(0, 10) ?? '', onchange: event => ctx.set({ at: event.target.value ? `${event.target.value}T00:00:00Z` : null }, true) })),
      el('label', { class: 'field' }, el('span', null, 'Ticks'), el('input', { type: 'number', min: 1, max: 500, value: count, onchange: event => ctx.set({ count: event.target.value }, true) })));
    try {
      const { timezone, ticks } = await api(['schedule', pipe.pipeline], { count, at }, ctx);
      show(said, ticks.length ? `The next ticks of the schedule, in ${timezone} and in your zone.` : 'It has no ticks.');
      show(body, ticks.map(tick => el('tr', null, el('td', { class: 'nowrap' }, tick.local), el('td', { class: 'nowrap' }, time(tick.at, 'minute', true)), el('td', { class: 'nowrap dim' }, at ? '' : counts(tick.at)), el('td', { class: 'nowrap' }, tick.interval_start && [time(tick.interval_start, 'minute', true), ' – ', time(tick.interval_end, 'minute', true)]), el('td', { class: 'wrap' }, tick.note && el('span', { class: 'note warn' }, rich(tick.note))))));
    } catch (error) { if (error.status) show(body, el('tr', null, el('td', { colspan: 5 }, trouble(error)))); }
  };
  show(host, el('section', { class: 'card', 'aria-label': 'Schedule' }, bar, el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Ticks' }, el('table', null, el('thead', null, el('tr', null, [pipe.timezone ?? 'Schedule', 'Your time', 'In', 'Data interval', 'Remark'].map(text => el('th', null, text)))), body))));
  await load();
  return { update: load };
};

const detailsTab = (ctx, pipe, host) => {
  const facts = (title, pairs) => el('section', { class: 'card' }, el('header', null, el('h2', null, title)), el('div', { class: 'body' }, el('dl', { class: 'facts' }, pairs.map(([name, text]) => [el('dt', null, name), el('dd', { class: 'mono' }, text)]))));
  show(host, pipe.error && el('div', { class: 'note bad' }, rich(pipe.error)), el('div', { class: 'cols' }, facts('Options', [...pipe.options ?? [], ['nodes', String(pipe.nodes)], ...pipe.defined ? [['defined', pipe.defined]] : []]),
    pipe.params != null && el('section', { class: 'card' }, el('header', null, el('h2', null, 'Parameters, by default')), el('div', { class: 'body' }, el('pre', { class: 'json', tabindex: 0, 'aria-label': 'Parameters' }, JSON.stringify(pipe.params, null, 2))))));
  return {};
};
const graphTab = async (ctx, pipe, host) => { const card = el('section', { class: 'card', 'aria-label': 'Graph' }); show(host, card); const { default: graph } = await import('./graph.js'); return graph(ctx, card, { path: ['pipelines', pipe.pipeline] }); };

export default async function pipeline(ctx) {
  const [, name, tab] = ctx.path, head = el('div', { class: 'stack' }), host = el('div', { class: 'stack loose' });
  ctx.title(tab ? `${name}, ${tab}` : name);
  let pipe = await api(['pipelines', name], null, ctx), view;
  const pause = () => import('./actions.js').then(module => module.ask(ctx, { command: 'pause', pipeline: name, paused: !pipe.paused }, refresh));
  const draw = () => show(head,
    el('div', { class: 'head' },
      el('div', { class: 'grow' }, el('p', { class: 'crumbs' }, el('a', { href: '.' }, 'Overview')), el('h1', { tabindex: '-1' }, name), pipe.description && el('p', { class: 'dim' }, pipe.description),
        el('div', { class: 'sub' }, pipe.paused ? chip('paused') : el('span', null, pipe.when ?? pipe.schedule ?? 'by hand'), pipe.timezone && el('span', null, pipe.timezone), pipe.next_run && el('span', null, 'next ', counts(pipe.next_run), ' at ', time(pipe.next_run)), (pipe.tags ?? []).map(tag => el('span', { class: 'tag' }, tag)), !pipe.known && el('span', { class: 'tag' }, 'only in the journal'))),
      !readOnly() && pipe.known && el('div', { class: 'actions' }, button(pipe.paused ? 'Unpause …' : 'Pause …', pause), el('a', { class: 'as-button', href: link(['p', name, 'backfill']) }, 'Backfill …'), el('a', { class: 'as-button main', href: link(['p', name, 'trigger']) }, 'Trigger …'))),
    pipe.why && !pipe.next_run && el('p', { class: 'note' }, why(pipe.why)),
    el('section', { class: 'card tiles', 'aria-label': 'At a glance' }, el('div', null, el('p', { class: 'name' }, `Last ${pipe.last.length} runs`), pipe.last.length ? strip(pipe.last, name) : el('p', null, '–')), [['Median', duration(pipe.p50_ms)], ['95 %', duration(pipe.p95_ms)], ['Success, 7 days', pipe.success_7d == null ? '–' : `${Math.floor(pipe.success_7d * 100)} %`], ['Active', pipe.active], ['Queued', pipe.queued]].map(([text, value]) => el('div', null, el('p', { class: 'name' }, text), el('p', { class: 'big' }, value)))),
    el('nav', { class: 'seg', 'aria-label': 'Views of the pipeline' }, TABS.map(([key, text]) => el('a', { href: link(['p', name, key].filter(Boolean)), 'aria-current': key === tab ? 'page' : null }, text))));
  const refresh = async () => { try { pipe = await api(['pipelines', name], null, ctx); draw(); await view?.fresh?.(); } catch { /* the banner says so */ } };
  draw(); show(ctx.root, head, host);
  view = await (tab === 'calendar' ? (await import('./calendar.js')).calendar(ctx, pipe, host) : { schedule: scheduleTab, graph: graphTab, details: detailsTab }[tab]?.(ctx, pipe, host) ?? runsTab(ctx, pipe, host));
  ctx.live('overview', refresh);
  return { update: keys => { if (keys === 'zone' || keys === 'server') refresh(); return view?.update?.(keys, false); }, close: () => view?.close?.(), keys: { t: ['Trigger', () => ctx.go(link(['p', name, 'trigger']))] } };
}
