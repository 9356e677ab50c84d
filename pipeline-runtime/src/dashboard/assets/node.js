// The drawer of a node: its attempts, pokes, inputs, output and options, as of the record that the page shows.
import { el, show, api, mark, chip, link, rich, why, time, counts, duration, bytes, dateText, isUtc, button, trouble, readOnly, label } from './base.js';

const MAX_LISTED = 200;
const section = (title, ...children) => el('section', el('h3', title), children);

const attempts = (ctx, run, node) => node.attempts.length > 0 && section(`Attempts (${node.attempts.length})`, el('ol.attempts', node.attempts.map(one => el('li', { class: String(one.attempt) === ctx.get('attempt') ? 'at' : null, 'data-attempt': one.attempt },
  el('div.row', mark(one.error ? 'failed' : one.interrupted ? 'cancelled' : one.finished ? 'success' : 'running', true), el('a', { href: run.here({ node: node.node, attempt: one.attempt }), title: 'Link to this attempt' }, `#${one.attempt}`), el('span.nowrap', time(one.started, 'second')),
    el('span.dim.nowrap', one.finished ? duration(Date.parse(one.finished) - Date.parse(one.started)) : run.answer.at == null ? ['for ', counts(one.started, 'since')] : 'running'), one.interrupted && el('span.tag', 'cut off'), Date.parse(one.started) < Date.parse(node.retried) && el('span.tag', 'before its retry'), el('span.grow'), el('a', { href: run.here({ view: 'log', node: node.node, attempt: one.attempt }) }, 'log')),
  one.error && el('pre.error', { tabindex: 0, 'aria-label': `Error of attempt ${one.attempt}` }, one.error)))));

const pokes = (run, node) => {
  if (!node.pokes.length) return null;
  const until = Math.max(run.answer.whole, node.pokes.at(-1)) || 1, started = run.answer.started, gaps = node.pokes.slice(1).map((at, i) => at - node.pokes[i]);
  const line = el('div.pokes', { 'aria-hidden': 'true' }, node.pokes.slice(-600).map(at => { const dot = el('i'); dot.style.left = `${at / until * 100}%`; return dot; }));
  return section(`Pokes (${node.pokes.length})`, line, el('p.dim', gaps.length ? `every ${duration(gaps.reduce((a, b) => a + b, 0) / gaps.length)}, last at ` : 'at ', dateText(new Date(started + node.pokes.at(-1)), 'second', isUtc()).slice(11)),
    el('details', el('summary', 'Each poke'), el('ol.plain.mono', node.pokes.slice(-MAX_LISTED).map((at, i, all) => el('li', `#${node.pokes.length - all.length + i + 1} `, dateText(new Date(started + at), 'milli', isUtc()).slice(11), el('span.dim', ` +${duration(at)}`))))));
};
const output = (run, node) => node.output != null && section(`Output (${bytes(node.output_bytes)})`, el('pre.json', { tabindex: 0, 'aria-label': 'Output' }, node.output),
  el('div.row', button('Copy', event => navigator.clipboard?.writeText(node.output).then(() => { event.target.textContent = 'Copied'; })), el('a', { href: `api/v1/${link([...run.path, 'output'], { id: node.node })}`, download: '' }, node.output_bytes > node.output.length ? 'Download the whole output' : 'Download')));

/** Formats an option for people: `2 m`, `30 s × 2, at most 10 m`; null if it is empty. */
export const option = (name, value) => {
  if (value == null || value === false || Array.isArray(value) && !value.length) return null;
  if (value.start_ms != null) return `${duration(value.start_ms)}${value.factor > 1 ? ` × ${value.factor}, at most ${duration(value.max_ms)}` : ''}${value.jitter_ms ? `, ± ${duration(value.jitter_ms)}` : ''}`;
  if (Array.isArray(value)) return value.map(one => option(name, one)).join('; ');
  if (typeof value === 'object') return Object.entries(value).map(([key, one]) => [key.replace(/_ms$/, ''), option(key, one)]).filter(([, text]) => text != null).map(one => one.join(' ')).join(', ') || null;
  return name.endsWith('_ms') ? duration(value) : String(value);
};
export const optionList = options => { const list = (Array.isArray(options) ? options : Object.entries(options ?? {})).map(([name, value]) => [name.replace(/_ms$/, ''), option(name, value)]).filter(([, text]) => text != null); return list.length > 0 && el('dl.facts', list.map(([name, text]) => [el('dt', name), el('dd.mono', text)])); };
const inputs = (run, node) => {
  const state = Object.fromEntries(node.inputs.map(one => [one.node, one.state])), given = node.parameters ?? [], rest = node.inputs.filter(one => !given.some(other => other.from.includes(one.node)));
  const from = id => [state[id] && mark(state[id], true), el('a.code', { href: run.nodeLink(id) }, id), ' '];
  return given.length + rest.length > 0 && section('Inputs', el('ul.plain', given.slice(0, MAX_LISTED).map(one => el('li', el('span.dim', one.name), one.text != null ? [' = ', el('code', one.text)] : one.from.length ? [el('span.dim', ' ← '), one.from.slice(0, 20).map(from), one.from.length > 20 && `and ${one.from.length - 20} more`] : el('span.dim', ` (${one.kind})`), one.rule && one.rule !== 'all_success' && el('span.tag', one.rule))), rest.map(one => el('li', el('span.dim', one.gate ? 'gate ' : 'after '), from(one.node)))));
};

export async function drawerOf(ctx, side, run, id) {
  const close = button('✕', () => ctx.set({ node: null, attempt: null }, true), { class: 'quiet icon', 'aria-label': 'Close the node', title: 'Close (x)' });
  let node;
  try { node = await api([...run.path, 'node'], { id, record: ctx.get('record') }, ctx); } catch (error) {
    delete side.dataset.shown;
    if (error.name !== 'AbortError') show(side, el('header', el('h2.grow.mono', id), close), el('div.body', error.status ? trouble(error) : el('p.dim', 'No answer.')));
    return null;
  }
  if (ctx.get('node') !== id) return null;
  // If nothing has changed, the user's selection and position stay.
  const text = JSON.stringify([node, location.search, run.answer.at, readOnly()]);
  if (side.dataset.shown === text) return { mark: () => {} };
  side.dataset.shown = text;
  const scroll = side.scrollTop, unfolded = !!side.querySelector('details[open]');
  const live = run.answer.at == null && !readOnly();
  show(side,
    el('header', mark(node.state, true), el('h2.grow.mono', node.node), close),
    el('div.body.stack',
      el('p.sub', chip(node.state), el('span.dim', node.kind), node.deadline && !['success', 'failed', 'skipped'].includes(node.state) && el('span.dim', 'budget ends ', counts(node.deadline)), el('a', { href: run.here({ view: 'log', node: node.node, attempt: null }) }, 'log'), node.kind === 'sensor' && el('a', { href: link(['s', run.pipeline, node.node]) }, 'over all runs')),
      node.description && el('p.dim', rich(node.description)),
      node.why && el('p', { class: `note ${node.state === 'failed' ? 'bad' : 'go'}` }, why(node.why, run.nodeLink)),
      node.skipped && el('p.note', 'Skipped: ', rich(node.skipped)),
      node.failed_upstream && el('p.note.bad', 'Not run, because ', el('a.code', { href: run.nodeLink(node.failed_upstream) }, node.failed_upstream), ' failed.'),
      live && el('div.actions', ['failed', 'upstream_failed', 'success', 'skipped'].includes(node.state) && button('Retry …', () => run.act({ command: 'retry', nodes: [node.node], downstream: true })), !['success', 'failed', 'skipped', 'upstream_failed', 'removed'].includes(node.state) && button('Skip …', () => run.act({ command: 'skip', node: node.node }))),
      attempts(ctx, run, node), pokes(run, node),
      inputs(run, node),
      output(run, node),
      optionList(node.options) && section('Options', optionList(node.options)),
      (node.defined || node.wired) && section('Source', el('dl.facts', node.defined && [el('dt', 'defined'), el('dd.mono', node.defined)], node.wired && [el('dt', 'wired'), el('dd.mono', node.wired)]))));
  side.scrollTop = scroll;
  if (unfolded) side.querySelector('details')?.setAttribute('open', '');
  const attempt = () => { for (const one of side.querySelectorAll('[data-attempt]')) one.classList.toggle('at', one.dataset.attempt === ctx.get('attempt')); };
  return { mark: attempt };
}
