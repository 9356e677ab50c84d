// A run: its facts, why it does not continue, how its time was spent; below them one of its views.
import { el, show, api, mark, chip, label, link, runLink, rich, why, time, counts, duration, clock, button, card, memo, trouble, readOnly } from './base.js';
import { KINDS, KIND_TEXT } from './spans.js';
import { scrubber } from './scrub.js';

const VIEWS = [['gantt', 'Gantt', () => import('./gantt.js')], ['graph', 'Graph', () => import('./graph.js')], ['log', 'Log', () => import('./log.js')], ['records', 'Records', () => import('./records.js')], ['what-if', 'What if', () => import('./what-if.js')], ['details', 'Details', () => import('./details.js')]];
const DONE = ['success', 'failed', 'cancelled'];
const MAX_PATH = 8;
/** How many milliseconds a run is read at first; doubled for each further read. */
const READ = 50;

/** The six kinds of time as one bar with its figures. */
const totals = answer => {
  const all = Math.max(1, KINDS.reduce((sum, kind) => sum + answer.totals[kind], 0));
  return el('div.went', el('div.went-bar', { 'aria-hidden': 'true' }, KINDS.filter(kind => answer.totals[kind] > 0).map(kind => { const part = el('i', { class: `k-${kind}` }); part.style.flexGrow = Math.max(.004, answer.totals[kind] / all); return part; })),
    el('dl', KINDS.map(kind => el('div', { class: answer.totals[kind] ? null : 'zero' }, el('dt', el('i', { class: `k-${kind}`, 'aria-hidden': 'true' }), KIND_TEXT[kind]), el('dd', duration(answer.totals[kind]))))));
};
const path = (list, to) => list.length > 0 && el('p.path', el('span.dim', 'Critical path '), list.slice(0, MAX_PATH).map((step, i) => [i ? el('span.dim', { 'aria-label': 'then' }, ' → ') : '', el('a.code', { href: to(step.node) }, step.node), el('span.dim', ` ${duration(step.until_ms - step.from_ms)}`)]), list.length > MAX_PATH && el('span.dim', ` → … and ${list.length - MAX_PATH} more`));

export default async function page(ctx) {
  const [, pipeline, id] = ctx.path, name = `${pipeline}/${id}`;
  const run = { name, pipeline, id, path: ['runs', pipeline, id], answer: null, within: READ, here: changes => { const query = Object.fromEntries([...ctx.query().keys()].map(key => [key, ctx.all(key)])); return runLink(name, { ...query, ...changes }); } };
  run.filters = () => ({ q: ctx.get('q'), state: ctx.get('state'), sort: ctx.get('sort'), open: ctx.all('open'), record: ctx.get('record') });
  run.asks = () => ({ ...run.filters(), open: ctx.all('open').join('|'), from: 0, count: 100, within: run.within });
  run.nodeLink = node => run.here({ node, attempt: null, line: null });
  const current = () => { const key = ctx.get('view'); return VIEWS.some(([view]) => view === key) ? key : 'gantt'; };
  const part = memo();
  let shown, view, drawer, drawerFor, busy, again;

  const head = el('div.stack'), tabs = el('nav.seg', { 'aria-label': 'Views of the run' }), host = el('div.view.grow'), side = el('aside.drawer', { hidden: true, 'aria-label': 'Node' });
  const time_ = scrubber(ctx, run);
  const act = command => import('./actions.js').then(module => module.ask(ctx, { run: name, ...command }, refresh));
  run.act = act;

  const fetchRun = async () => {
    const record = ctx.get('record'), answer = await api(run.path, { record, within: run.within }, ctx), { reading, at_ms: reached } = answer.records;
    answer.started = Date.parse(answer.run.started);
    // As of a record, time is stopped; else it advances until the run has ended.
    answer.at = record ? reached : null;
    answer.drawn = reading ? reached : answer.at;
    run.within = reading ? run.within * 2 : READ;
    const end = answer.end_ms ?? (answer.run.finished ? Date.parse(answer.run.finished) - answer.started : Math.max(0, Date.parse(answer.now) - answer.started));
    answer.whole = Math.max(10, run.answer && record ? Math.max(run.answer.whole, answer.records.at_ms) : end || answer.records.at_ms);
    run.answer = answer;
  };
  /** If the API has no sentence for a failed run, the first failed node provides it. */
  const blame = async answer => {
    if (answer.why || answer.records.reading || answer.run.state !== 'failed') return;
    const { total, rows: [row] } = await api([...run.path, 'nodes'], { state: 'failed', record: ctx.get('record'), count: 1 }, ctx).catch(() => ({ rows: [] }));
    if (!row || answer !== run.answer) return;
    answer.why = { text: `\`${row.node}\` failed${total > 1 ? `, and ${total - 1} more` : ''}${row.error ? `: ${row.error.split('\n')[0]}` : ''}`, node: row.node };
    drawHead();
  };
  const drawHead = () => {
    const answer = run.answer, one = answer.run, states = answer.states, ended = DONE.includes(one.state), failed = (states.failed ?? 0) + (states.upstream_failed ?? 0);
    ctx.title(`${{ success: '✓', failed: '✗', running: '●' }[one.state] ?? '◌'} ${pipeline} ${id}`);
    const order = ['failed', 'upstream_failed', 'running', 'up_for_retry', 'up_for_reschedule', 'queued', 'scheduled', 'none', 'success', 'skipped', 'removed'];
    const url = location.search;
    show(head,
      part('head', [one, answer.at, failed, url], () => el('div.head',
        el('div.grow', el('p.crumbs', el('a', { href: link(['p', pipeline]) }, pipeline), ' / runs'), el('h1', { tabindex: '-1' }, id),
          el('div.sub', chip(one.state), answer.at != null && el('span.tag', 'as of then'),
            el('span', one.duration_ms != null ? answer.idle_ms ? `${duration(one.duration_ms - answer.idle_ms)}, over ${duration(one.duration_ms)} with the time before its retry` : duration(one.duration_ms) : one.started && answer.at == null && !ended ? ['for ', counts(one.started, 'since')] : answer.at != null ? duration(answer.at) : '–'),
            el('span', one.kind), one.started && el('span', one.state === 'queued' ? 'requested ' : 'started ', time(one.started, 'second')), one.logical_date && el('span', 'data of ', time(one.logical_date, 'minute', true), ' – ', time(one.data_interval_end, 'minute', true)))),
        el('div.actions',
          !readOnly() && failed > 0 && answer.at == null && button('Retry failed …', () => act({ command: 'retry', nodes: [], downstream: true })),
          !readOnly() && !ended && answer.at == null && button('Cancel run …', () => act({ command: 'cancel' }), { class: 'danger' }),
          el('a.as-button', { href: `api/v1/${link([...run.path, 'document.html'])}`, download: true, title: 'All of it as one HTML file, as it is now' }, 'Save'),
          button('Copy link', copy, { title: 'Copies a link to what you see now, at this record (c)' })))),
      answer.records.reading && el('p.note', { role: 'status' }, `Reading record ${answer.records.at.toLocaleString('en')} of ${answer.records.last.toLocaleString('en')}`),
      answer.note && el('p.note', rich(answer.note)),
      answer.why && part('why', [answer.why, one.state, url], () => el('p', { class: `note ${one.state === 'failed' || one.state === 'blocked' ? 'bad' : one.state === 'success' ? 'ok' : 'go'}` }, mark(one.state), why(answer.why, run.nodeLink))),
      part('went', [answer.totals, answer.critical_path, states, url], () => card('Time spent by all nodes',
        el('div.body.stack', totals(answer),
          el('div.row.between', path(answer.critical_path, run.nodeLink) || el('span'), el('div.sub', order.filter(state => states[state]).map(state => el('a', { class: `chip s-${state}`, href: run.here({ view: 'gantt', state }), title: label(state) }, mark(state), `${states[state].toLocaleString('en')} ${label(state)}`))))))));
    show(tabs, part('tabs', [url, current()], () => VIEWS.map(([key, text]) => el('a', { href: run.here({ view: key === 'gantt' ? null : key }), 'aria-current': key === current() ? 'page' : null }, text))));
  };
  const copy = () => { const url = new URL(location); if (!url.searchParams.has('record')) url.searchParams.set('record', run.answer.records.at); navigator.clipboard?.writeText(url.href).then(() => ctx.say(`The link to record ${run.answer.records.at} is copied.`, 'ok'), () => ctx.say('The browser blocked copying the link.', 'bad')); };

  const drawView = async (keys, fresh) => {
    const key = current();
    if (shown === key) return view?.update(keys, fresh);
    shown = key; view?.close?.(); view = undefined;
    const mine = key, module = await VIEWS.find(([one]) => one === key)[2]();
    if (mine !== shown || ctx.signal.aborted) return;
    show(host);
    view = await module.default(ctx, host, run);
  };
  const drawNode = async fresh => {
    const node = ctx.get('node');
    side.hidden = node == null || shown === 'log';
    if (side.hidden) { drawerFor = null; return; }
    if (drawerFor === node && !fresh) return drawer?.mark?.();
    drawerFor = node;
    const { drawerOf } = await import('./node.js');
    if (ctx.get('node') === node) drawer = await drawerOf(ctx, side, run, node);
  };
  /** Reads the run again. Calls during a request are combined into one further request. */
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      do {
        again = false;
        await fetchRun();
        drawHead(); time_.update(); blame(run.answer);
        await Promise.all([drawView('fresh', true), drawNode(true)]);
        if (run.answer.records.reading) again = true;
      } while (again && !ctx.signal.aborted);
    } catch (error) { if (error.status) show(head, el('h1', { tabindex: '-1' }, id), trouble(error)); } finally { busy = false; }
  };

  run.readOn = refresh;

  // The rows are requested concurrently with the run, which saves a round trip.
  if (current() === 'gantt') run.rows = api([...run.path, 'nodes'], run.asks(), ctx).catch(() => null);
  const first = Promise.all([fetchRun(), VIEWS.find(([key]) => key === current())[2]()]);
  await first;
  ctx.root.classList.add('wide');
  show(ctx.root, head, card('The run in detail', el('header', tabs, el('span.grow'), time_.node), el('div.split', host, side)));
  drawHead(); time_.update(); blame(run.answer);
  await Promise.all([drawView('url', true), drawNode(true)]);
  if (run.answer.records.reading) refresh();
  ctx.live(`run/${name}`, () => ctx.get('record') ? time_.ahead() : refresh());
  const timer = setInterval(() => { const answer = run.answer; if (!document.hidden && answer.at == null && !answer.run.finished && answer.run.started) { answer.whole = Math.max(answer.whole, clock.now() - answer.started); view?.update('time', false); } }, 1000);
  ctx.signal.addEventListener('abort', () => clearInterval(timer));
  return {
    update: keys => {
      if (keys === 'server' || keys === 'zone' || keys === 'url' && ctx.get('record') !== run.record || keys.includes?.('record')) { run.record = ctx.get('record'); refresh(); if (keys !== 'url') return; }
      if (keys !== 'url' && keys.every?.(key => key === 'zoom' || key === 'q')) return view?.update(keys, false);
      drawHead(); drawView(keys, false).then(() => drawNode(false));
    },
    close: () => view?.close?.(),
    keys: { '[': ['Record back', () => time_.step(-1)], ']': ['Record on', () => time_.step(1)], '.': ['Live', () => time_.live()], l: ['Log', () => ctx.set({ view: 'log' }, true)], v: ['Gantt', () => ctx.set({ view: null }, true)], w: ['Why: go to the blocker', () => { const w = run.answer.why, node = w?.root?.node ?? w?.node; if (node) ctx.set({ node }, true); else if (w?.runs?.length) ctx.go(runLink(w.runs[0])); }], c: ['Copy link', copy], j: ['Row down', () => view?.move?.(1)], k: ['Row up', () => view?.move?.(-1)], x: ['Close the node', () => ctx.set({ node: null }, true)] },
  };
}
