// The drawer of a node: its attempts, pokes, inputs, output and options, as of the record that the page shows.
import { el, show, api, mark, chip, label, link, rich, why, time, duration, bytes, button, counts, readOnly, trouble, dateText, isUtc } from './base.js';

const MAX_LISTED = 200;
const section = (title, ...children) => el('section', null, el('h3', null, title), children);
const nodes = (run, list) => el('ul', { class: 'plain' }, list.slice(0, MAX_LISTED).map(one => el('li', null, one.state && mark(one.state, true), one.name && el('span', { class: 'dim' }, one.name, ' ← '), el('a', { class: 'code', href: run.nodeLink(one.node) }, one.node))), list.length > MAX_LISTED && el('li', { class: 'dim' }, `and ${list.length - MAX_LISTED} more`));

const attempts = (ctx, run, node) => node.attempts.length > 0 && section(`Attempts (${node.attempts.length})`, el('ol', { class: 'attempts' }, node.attempts.map(one => el('li', { class: String(one.attempt) === ctx.query().get('attempt') ? 'at' : null, 'data-attempt': one.attempt },
  el('div', { class: 'row' }, mark(one.error ? 'failed' : one.interrupted ? 'cancelled' : one.finished ? 'success' : 'running', true), el('a', { href: run.here({ node: node.node, attempt: one.attempt }), title: 'Link to this attempt' }, `#${one.attempt}`), el('span', { class: 'nowrap' }, time(one.started, 'second')),
    el('span', { class: 'dim nowrap' }, one.finished ? duration(Date.parse(one.finished) - Date.parse(one.started)) : run.answer.at == null ? ['for ', counts(one.started, 'since')] : 'under way'), one.interrupted && el('span', { class: 'tag' }, 'cut off'), el('span', { class: 'grow' }), el('a', { href: run.here({ view: 'log', node: node.node, attempt: one.attempt }) }, 'log')),
  one.error && el('pre', { class: 'error', tabindex: 0, 'aria-label': `Error of attempt ${one.attempt}` }, one.error)))));

const pokes = (run, node) => {
  if (!node.pokes.length) return null;
  const until = Math.max(run.answer.whole, node.pokes.at(-1)) || 1, started = run.answer.started, gaps = node.pokes.slice(1).map((at, i) => at - node.pokes[i]);
  const line = el('div', { class: 'pokes', 'aria-hidden': 'true' }, node.pokes.slice(-600).map(at => { const dot = el('i'); dot.style.left = `${at / until * 100}%`; return dot; }));
  return section(`Pokes (${node.pokes.length})`, line, el('p', { class: 'dim' }, gaps.length ? `every ${duration(gaps.reduce((a, b) => a + b, 0) / gaps.length)}, last at ` : 'at ', dateText(new Date(started + node.pokes.at(-1)), 'second', isUtc()).slice(11)),
    el('details', null, el('summary', null, 'Each poke'), el('ol', { class: 'plain mono' }, node.pokes.slice(-MAX_LISTED).map((at, i, all) => el('li', null, `#${node.pokes.length - all.length + i + 1} `, dateText(new Date(started + at), 'milli', isUtc()).slice(11), el('span', { class: 'dim' }, ` +${duration(at)}`))))));
};
const output = (run, node) => node.output != null && section(`Output (${bytes(node.output_bytes)})`, el('pre', { class: 'json', tabindex: 0, 'aria-label': 'Output' }, node.output),
  el('div', { class: 'row' }, button('Copy', event => navigator.clipboard?.writeText(node.output).then(() => { event.target.textContent = 'Copied'; })), el('a', { href: `api/v1/${link([...run.path, 'output'], { id: node.node })}`, download: '' }, node.output_bytes > node.output.length ? 'Download the whole output' : 'Download')));

export async function drawerOf(ctx, side, run, id) {
  const close = button('✕', () => ctx.set({ node: null, attempt: null }, true), { class: 'quiet icon', 'aria-label': 'Close the node', title: 'Close (x)' });
  let node;
  try { node = await api([...run.path, 'node'], { id, record: ctx.query().get('record') }, ctx); } catch (error) {
    if (error.name !== 'AbortError') show(side, el('header', null, el('h2', { class: 'grow mono' }, id), close), el('div', { class: 'body' }, error.status ? trouble(error) : el('p', { class: 'dim' }, 'No answer.')));
    return null;
  }
  if (ctx.query().get('node') !== id) return null;
  const scroll = side.scrollTop, unfolded = !!side.querySelector('details[open]');
  const live = run.answer.at == null && !readOnly();
  show(side,
    el('header', null, mark(node.state, true), el('h2', { class: 'grow mono' }, node.node), close),
    el('div', { class: 'body stack' },
      el('p', { class: 'sub' }, chip(node.state), el('span', { class: 'dim' }, node.kind), node.deadline && !['success', 'failed', 'skipped'].includes(node.state) && el('span', { class: 'dim' }, 'budget ends ', counts(node.deadline)), el('a', { href: run.here({ view: 'log', node: node.node, attempt: null }) }, 'log'), node.kind === 'sensor' && el('a', { href: link(['s', run.pipeline, node.node]) }, 'over all runs')),
      node.why && el('p', { class: `note ${node.state === 'failed' ? 'bad' : 'go'}` }, why(node.why, run.nodeLink)),
      node.skipped && el('p', { class: 'note' }, 'Skipped: ', rich(node.skipped)),
      node.failed_upstream && el('p', { class: 'note bad' }, 'Not run, because ', el('a', { class: 'code', href: run.nodeLink(node.failed_upstream) }, node.failed_upstream), ' failed.'),
      live && el('div', { class: 'actions' }, ['failed', 'upstream_failed', 'success', 'skipped'].includes(node.state) && button('Retry …', () => run.act({ command: 'retry', nodes: [node.node], downstream: true })), !['success', 'failed', 'skipped', 'upstream_failed', 'removed'].includes(node.state) && button('Skip …', () => run.act({ command: 'skip', node: node.node }))),
      attempts(ctx, run, node), pokes(run, node),
      node.inputs.length > 0 && section('Inputs', nodes(run, node.inputs)),
      output(run, node),
      node.downstream.length > 0 && section(`Feeds (${node.downstream.length})`, nodes(run, node.downstream.map(one => ({ node: one })))),
      node.options.length > 0 && section('Options', el('dl', { class: 'facts' }, node.options.map(([name, text]) => [el('dt', null, name), el('dd', { class: 'mono' }, text)]))),
      (node.defined || node.wired) && section('Source', el('dl', { class: 'facts' }, node.defined && [el('dt', null, 'defined'), el('dd', { class: 'mono' }, node.defined)], node.wired && [el('dt', null, 'wired'), el('dd', { class: 'mono' }, node.wired)]))));
  side.scrollTop = scroll;
  if (unfolded) side.querySelector('details')?.setAttribute('open', '');
  const attempt = () => { for (const one of side.querySelectorAll('[data-attempt]')) one.classList.toggle('at', one.dataset.attempt === ctx.query().get('attempt')); };
  return { mark: attempt };
}
