// Two runs side by side: their params, how long each node took, whose output differs.
import { el, show, api, chip, mark, link, runLink, splitRun, duration, time, empty, trouble } from './base.js';

const MAX_LISTED = 500;
/** The differences, largest first. A node that ran in one run alone counts with all of its time. */
export const byDifference = nodes => [...nodes].sort((x, y) => Math.abs((y.b_ms ?? 0) - (y.a_ms ?? 0)) - Math.abs((x.b_ms ?? 0) - (x.a_ms ?? 0)));
const text = value => value === undefined || value === null ? '–' : typeof value === 'string' ? value : JSON.stringify(value);

export default async function compare(ctx) {
  ctx.title('Compare');
  const host = el('div', { class: 'stack loose' });
  const field = key => el('label', { class: 'field grow' }, el('span', null, key.toUpperCase()), el('input', { type: 'text', class: 'mono', placeholder: 'PIPELINE/RUN_ID', value: ctx.query().get(key) ?? '', onchange: event => ctx.set({ [key]: event.target.value.trim() }, true) }));
  const one = (name, run) => el('div', { class: 'card side' }, el('p', { class: 'row' }, el('strong', null, name), chip(run.state), el('span', null, duration(run.duration_ms)), el('span', { class: 'dim' }, time(run.started, 'minute', true))), el('a', { class: 'mono wrap', href: runLink(run.run) }, splitRun(run.run).join(' ')));
  const load = async () => {
    const a = ctx.query().get('a'), b = ctx.query().get('b'), all = ctx.query().get('all') === '1';
    if (!a || !b) { show(host, empty('Name two runs, or pick them in the list of runs.', el('a', { href: 'runs' }, 'To the runs'))); return; }
    let answer;
    try { answer = await api(['compare'], { a, b }, ctx); } catch (error) { if (error.name !== 'AbortError') show(host, trouble(error)); return; }
    const nodes = byDifference(answer.nodes), shown = all ? nodes : nodes.filter(node => node.a_state !== node.b_state || node.output_differs || Math.abs((node.b_ms ?? 0) - (node.a_ms ?? 0)) > Math.max(20, .05 * (node.a_ms ?? 0))), most = Math.max(1, ...nodes.map(node => Math.abs((node.b_ms ?? 0) - (node.a_ms ?? 0))));
    const only = (name, list) => list.length > 0 && el('p', { class: 'note' }, `Only ${name} has `, list.slice(0, 20).map((id, i) => [i ? ', ' : '', el('code', null, id)]), list.length > 20 && ` and ${list.length - 20} more`, '.');
    show(host, el('div', { class: 'cols' }, one('A', answer.a), one('B', answer.b)),
      el('section', { class: 'card', 'aria-label': 'Parameters' }, el('header', null, el('h2', null, 'Parameters that differ')), answer.params.length ? el('div', { class: 'scroll' }, el('table', null, el('thead', null, el('tr', null, ['Name', 'A', 'B'].map(head => el('th', null, head)))), el('tbody', null, answer.params.map(([name, x, y]) => el('tr', null, el('td', { class: 'mono' }, name), el('td', { class: 'mono wrap' }, text(x)), el('td', { class: 'mono wrap' }, text(y))))))) : el('p', { class: 'empty' }, 'None.')),
      only('A', answer.only_a), only('B', answer.only_b),
      el('section', { class: 'card', 'aria-label': 'Nodes' }, el('header', null, el('h2', { class: 'grow' }, all ? 'All nodes' : 'Nodes that differ'), el('span', { class: 'dim' }, `${shown.length} of ${nodes.length}`), el('a', { href: link(['compare'], { a, b, all: all ? null : 1 }) }, all ? 'only what differs' : 'all')),
        shown.length ? el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'List of nodes' }, el('table', null, el('thead', null, el('tr', null, ['Node', 'A', 'B', 'B – A', 'Output'].map((head, i) => el('th', { class: i && i < 4 ? 'num' : null }, head)))), el('tbody', null, shown.slice(0, MAX_LISTED).map(node => { const by = (node.b_ms ?? 0) - (node.a_ms ?? 0), bar = el('i'); bar.style.width = `${Math.abs(by) / most * 100}%`;
          return el('tr', null, el('td', { class: 'wrap' }, el('a', { class: 'mono', href: runLink(b, { node: node.node }) }, node.node)), el('td', { class: 'num' }, mark(node.a_state, true), ' ', duration(node.a_ms)), el('td', { class: 'num' }, mark(node.b_state, true), ' ', duration(node.b_ms)), el('td', { class: 'num' }, el('span', { class: `meter plainly${by > 0 ? ' slower' : ' faster'}`, 'aria-hidden': 'true' }, bar), by > 0 ? '+' : '', duration(by)), el('td', { class: 'nowrap' }, node.output_differs ? 'differs' : el('span', { class: 'dim' }, 'same'))); })))) : el('p', { class: 'empty' }, 'No node differs by more than a twentieth.')));
  };
  show(ctx.root, el('h1', { tabindex: '-1' }, 'Compare two runs'), el('div', { class: 'row' }, field('a'), field('b')), host);
  await load();
  return { update: load };
}
