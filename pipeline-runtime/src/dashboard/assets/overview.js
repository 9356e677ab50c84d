// The overview: what needs attention, and each pipeline at a glance.
import { el, show, api, mark, chip, label, link, runLink, rich, why, counts, duration, clock, button, finder, card, meter, memo, empty, readOnly } from './base.js';

/** The strip of last runs: height is duration. One tab stop; arrow keys move within it. */
export const strip = (runs, name, focus) => {
  const longest = Math.max(1, ...runs.map(run => run.duration_ms ?? 0));
  const node = el('div.strip', { role: 'group', 'aria-label': `Last runs of ${name}` }, runs.map((run, i) => {
    const took = run.duration_ms ?? (run.started ? clock.now() - Date.parse(run.started) : 0);
    const bar = el('i'); bar.style.height = `${Math.round(12 + 88 * Math.sqrt(Math.min(took, longest) / longest))}%`;
    const text = `${label(run.state)} · ${run.run_id}${run.started ? ` · ${duration(took)}` : ''}`;
    return el('a', { href: runLink(run.run), class: `s-${run.state}`, title: text, 'aria-label': text, tabindex: i === (focus ?? runs.length - 1) ? 0 : -1 }, bar);
  }));
  node.addEventListener('keydown', event => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -1e3, End: 1e3 }[event.key], all = [...node.children], at = all.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = all[Math.max(0, Math.min(all.length - 1, at + step))];
    all[at].tabIndex = -1; next.tabIndex = 0; next.focus();
  });
  return node;
};

const act = (ctx, command, refresh) => import('./actions.js').then(module => module.ask(ctx, command, refresh));
const need = (item, ctx, refresh) => el('li', mark(item.kind, true),
  el('div.grow', item.pipeline && [el('a.title', { href: item.run ? runLink(item.run, { node: item.node }) : link(['p', item.pipeline]) }, item.pipeline), ' '], why({ text: item.text, node: item.node, changes_at: item.until }, node => runLink(item.run, { node })), item.more > 0 && [' ', el('a', { href: link(['runs'], { pipeline: item.pipeline, state: 'failed' }) }, `and ${item.more} more`)]),
  item.since && el('span.dim.nowrap', counts(item.since, 'ago')),
  el('div.actions',
    item.kind === 'failed' && item.run && !readOnly() && button('Retry …', () => act(ctx, { command: 'retry', run: item.run, nodes: item.node ? [item.node] : [], downstream: true }, refresh)),
    item.kind === 'paused' && !readOnly() && button('Unpause …', () => act(ctx, { command: 'pause', pipeline: item.pipeline, paused: false }, refresh)),
    item.run && el('a', { href: runLink(item.run, { view: 'log', node: item.node }) }, 'log')));

const rate = value => value == null ? el('span.dim', '–') : [meter(value, value < .8 ? 'low' : value < .95 ? 'mid' : ''), `${Math.floor(value * 100)} %`];
const row = pipe => el('tr', { role: 'row' },
  el('td', { role: 'cell' }, el('a.title', { href: link(['p', pipe.pipeline]) }, pipe.pipeline), !pipe.known && el('span.tag', 'only in the journal'),
    pipe.description && el('div.desc.cut1', { title: pipe.description }, pipe.description)),
  el('td', { role: 'cell' }, pipe.paused ? chip('paused', 'paused') : el('span.nowrap', { title: [pipe.schedule, pipe.timezone].filter(Boolean).join(' ') }, pipe.when ?? pipe.schedule ?? el('span.dim', 'manual'))),
  el('td', { role: 'cell', class: 'nowrap', title: pipe.why?.text ?? '' }, pipe.next_run ? counts(pipe.next_run) : el('span.dim', pipe.paused ? '–' : rich(pipe.next_text || '–')), pipe.why?.runs.length > 0 && [' ', el('a', { class: 'chip s-queued', href: link(['p', pipe.pipeline]) }, mark('queued'), 'one is held')]),
  el('td', { role: 'cell' }, pipe.last.length ? strip(pipe.last, pipe.pipeline) : el('span.dim', 'no runs')),
  el('td.num', { role: 'cell' }, duration(pipe.p50_ms), el('span.dim', ' / ', duration(pipe.p95_ms))),
  el('td.num', { role: 'cell' }, rate(pipe.success)));

export default async function overview(ctx) {
  ctx.title('Overview');
  let asked = api(['overview'], null, ctx), busy, again, drawn, soon;
  const head = el('div'), needs = el('section.card.needs', { 'aria-label': 'Needs you' }), body = el('tbody', { role: 'rowgroup' });
  const find = finder('Filter pipelines', ctx.get('q'), q => ctx.set({ q }));
  const chart = card('Duration over time');
  const table = el('table.pipes', { role: 'table' }, el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ['Pipeline', 'Schedule', 'Next', 'Last 25 runs', 'p50 / p95', 'Success'].map((text, i) => el('th', { role: 'columnheader', class: i > 3 ? 'num' : null }, text)))), body);
  const part = memo();
  let said;
  const draw = answer => {
    said = answer;
    // SLAs come close and budgets shrink without any event.
    clearTimeout(soon);
    if (answer.needs_you_again && !ctx.signal.aborted) soon = setTimeout(refresh, Math.min(864e5, Math.max(1000, Date.parse(answer.needs_you_again) - clock.now() + 100)));
    const { counts: n, holder } = answer;
    show(head, part('head', [answer.journal, holder, n, answer.read_only], () => el('div.head', el('div.grow', el('h1', { tabindex: '-1' }, 'Overview'),
      el('p.sub', el('span.mono', answer.journal), holder ? el('span', 'held by process ', holder.process, holder.command && [' (', holder.command, ')'], ' for ', counts(holder.since, 'since')) : chip('no_process', 'no process runs it'),
        answer.read_only && el('span.tag', { title: answer.read_only_why ?? '' }, 'read only'))),
    el('div.sub', [['running', n.running], ['queued', n.queued], ['blocked', n.blocked]].map(([state, count]) => el('a', { href: link(['runs'], { state }), class: `chip ${count ? `s-${state}` : 'dim'}` }, mark(count ? state : 'none'), `${count} ${state}`)), n.paused > 0 && chip('paused', `${n.paused} paused`)))));
    show(needs, part('needs', answer.needs_you, () => [el('header', el('h2', 'Needs you'), answer.needs_you.length > 0 && el('span.tag', answer.needs_you.length)),
      answer.needs_you.length ? el('ul.items', answer.needs_you.map((item, i) => part(`need ${i}`, item, () => need(item, ctx, refresh)))) : el('p.empty', mark('success'), ' Nothing needs you: every newest run is fine and nothing waits too long.')]));
    filter();
  };
  const filter = () => {
    const text = (ctx.get('q') ?? '').toLowerCase(), list = said.pipelines.filter(pipe => `${pipe.pipeline} ${pipe.description ?? ''} ${(pipe.tags ?? []).join(' ')}`.toLowerCase().includes(text));
    show(body, list.map(pipe => part(`pipe ${pipe.pipeline}`, pipe, row)), !list.length && el('tr', { role: 'row' }, el('td', { role: 'cell', colspan: 6 }, empty(said.pipelines.length ? 'No pipeline has this text in its name, description or tags.' : 'This binary has no pipelines.'))));
  };
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try { draw(await api(['overview'], null, ctx)); } catch { /* the banner shows it, or the next change fixes it */ } finally { busy = false; if (again) { again = false; setTimeout(refresh, 250); } }
  };
  ctx.signal.addEventListener('abort', () => clearTimeout(soon));
  draw(await asked);
  show(ctx.root, head, needs, card('Pipelines', el('header', el('h2.grow', 'Pipelines'), find), el('div.scroll', table)), chart);
  // Content below the first screen is loaded after the first paint.
  requestAnimationFrame(() => setTimeout(async () => {
    if (ctx.signal.aborted) return;
    ctx.live('overview', refresh);
    drawn = (await import('./scatter.js')).scatter(ctx, chart, {});
  }));
  return { update: keys => { if (keys === 'zone' || keys === 'server') refresh(); else if (keys === 'url') find.value = ctx.get('q') ?? ''; filter(); drawn?.update(keys); } };
}
