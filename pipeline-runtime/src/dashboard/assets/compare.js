// Two runs side by side: their params, the duration of each node, and differing outputs.
import { el, show, api, mark, chip, link, runLink, splitRun, time, duration, meter, table, card, titled, empty, trouble } from './base.js';

const MAX_LISTED = 500;
const changed = node => node.a_state !== node.b_state;
/** How much longer the node took in B; null if it did not run in both. */
export const later = node => node.a_ms == null || node.b_ms == null ? null : node.b_ms - node.a_ms;
const size = node => Math.abs(later(node) ?? 0);
/** Changed states first, then the differences, largest first. */
export const byDifference = nodes => [...nodes].sort((x, y) => changed(y) - changed(x) || size(y) - size(x));
const text = value => value === undefined || value === null ? '–' : typeof value === 'string' ? value : JSON.stringify(value);

export default async function compare(ctx) {
  ctx.title('Compare');
  const host = el('div.stack.loose');
  const field = key => el('label.field.grow', el('span', key.toUpperCase()), el('input', { type: 'text', class: 'mono', placeholder: 'PIPELINE/RUN_ID', value: ctx.get(key) ?? '', onchange: event => ctx.set({ [key]: event.target.value.trim() }, true) }));
  const one = (name, run) => el('div.card.side', el('p.row', el('strong', name), chip(run.state), el('span', duration(run.duration_ms)), el('span.dim', time(run.started, 'minute', true))), el('a.mono.wrap', { href: runLink(run.run) }, splitRun(run.run).join(' ')));
  const load = async () => {
    const a = ctx.get('a'), b = ctx.get('b'), all = ctx.get('all') === '1';
    if (!a || !b) { show(host, empty('Name two runs, or pick them in the list of runs.', el('a', { href: 'runs' }, 'To the runs'))); return; }
    let answer;
    try { answer = await api(['compare'], { a, b }, ctx); } catch (error) { if (error.name !== 'AbortError') show(host, trouble(error)); return; }
    const nodes = byDifference(answer.nodes), shown = all ? nodes : nodes.filter(node => changed(node) || node.output_differs || size(node) > Math.max(20, .05 * (node.a_ms ?? 0))), most = Math.max(1, ...nodes.map(size));
    const only = (name, list) => list.length > 0 && el('p.note', `Only ${name} has `, list.slice(0, 20).map((id, i) => [i ? ', ' : '', el('code', id)]), list.length > 20 && ` and ${list.length - 20} more`, '.');
    show(host, el('div.cols', one('A', answer.a), one('B', answer.b)),
      titled('Parameters that differ', answer.params.length ? table('List of parameters', ['Name', 'A', 'B'], el('tbody', answer.params.map(([name, x, y]) => el('tr', el('td.mono', name), el('td.mono.wrap', text(x)), el('td.mono.wrap', text(y)))))) : el('p.empty', 'None.')),
      only('A', answer.only_a), only('B', answer.only_b),
      card('Nodes', el('header', el('h2.grow', all ? 'All nodes' : 'Nodes that differ'), el('span.dim', `${shown.length} of ${nodes.length}`), el('a', { href: link(['compare'], { a, b, all: all ? null : 1 }) }, all ? 'only differences' : 'all')),
        shown.length ? table('List of nodes', ['Node', '#A', '#B', '#B – A', 'Output'], el('tbody', shown.slice(0, MAX_LISTED).map(node => { const by = later(node);
          return el('tr', el('td.wrap', el('a.mono', { href: runLink(b, { node: node.node }) }, node.node)), el('td.num', mark(node.a_state, true), ' ', duration(node.a_ms)), el('td.num', mark(node.b_state, true), ' ', duration(node.b_ms)), el('td.num', by != null && !changed(node) && meter(Math.abs(by) / most, `plainly ${by > 0 ? 'slower' : 'faster'}`), by > 0 ? '+' : '', duration(by)), el('td.nowrap', node.output_differs ? 'differs' : el('span.dim', 'same'))); }))) : el('p.empty', 'No node differs by more than a twentieth.')));
  };
  show(ctx.root, el('h1', { tabindex: '-1' }, 'Compare two runs'), el('div.row', field('a'), field('b')), host);
  await load();
  return { update: load };
}
