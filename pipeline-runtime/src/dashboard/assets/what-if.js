// A replay of the run on virtual time with something changed, drawn below the actual run. The form's state is the URL.
import { el, show, api, mark, label, rich, duration, trouble, empty } from './base.js';
import { suppositions, bar } from './suppose.js';

const KINDS = { fail: ['An attempt fails', 'load@1=503'], set: ['An option is', 'export.poke=20s'], slots: ['A pool has', 'database=4'] };
/** `NODE=TIME` as [node, time]: a node's id may contain the sign too. */
export const splitArrival = text => { const at = text.lastIndexOf('='); return at < 1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]; };
/** The arrivals with that of a node set, or without it. */
export const withArrival = (all, node, time) => [...all.filter(text => splitArrival(text)[0] !== node), ...time ? [`${node}=${time}`] : []];
/** The result of a run and of its replay in a sentence. */
export const sentence = (run, other) => {
  const of = one => `${label(one.state)}${one.end_ms == null ? '' : ` after ${duration(one.end_ms)}`}`;
  const later = run.end_ms == null || other.end_ms == null ? 0 : other.end_ms - run.end_ms;
  return `${of(run)}; here ${of(other)}${Math.abs(later) < Math.max(1000, run.end_ms / 100) ? '' : `, ${duration(Math.abs(later))} ${later > 0 ? 'later' : 'sooner'}`}`;
};

export default async function whatIf(ctx, host, run) {
  const changes = suppositions(ctx, KINDS, 'What is changed');
  let wanted, answer, drawn;
  const asked = () => Object.fromEntries(['arrive', 'fail', 'set', 'slots'].map(key => [key, ctx.all(key)]));
  const form = el('div.body.stack.padded'), result = el('div', { 'aria-live': 'polite' });
  show(host, form, result);

  const draw = () => {
    const given = asked(), named = Object.fromEntries(given.arrive.map(splitArrival)), shown = JSON.stringify([given, answer?.arrivals]);
    if (shown === drawn) return;
    drawn = shown;
    show(form,
      el('p.dim', 'The result of the run if something had been different: the engine replays it on virtual time. No body is called, nothing is sent; each node answers as it did, after the time it took.'),
      answer?.arrivals.length > 0 && el('div.stack', answer.arrivals.map(({ node, after_ms, by_ms }, i) => el('div.form-row', el('label.mono', { for: `wi${i}` }, node),
        el('div', el('input', { id: `wi${i}`, type: 'text', class: 'mono', value: named[node] ?? '', placeholder: '+20m, -5m, 20m or never', spellcheck: 'false', 'aria-describedby': `wi${i}-h`, onchange: event => ctx.set({ arrive: withArrival(given.arrive, node, event.target.value.trim()) }, true) }),
          el('span.dim', { id: `wi${i}-h` }, by_ms == null ? 'it was never there' : after_ms == null ? 'it was there at the first poke' : `it came between ${duration(after_ms)} and ${duration(by_ms)}`))))),
      changes());
  };
  const drawResult = () => {
    const all = ctx.get('all') === 'true', whole = Math.max(1, answer.end_ms), shown = answer.nodes.filter(node => all || node.differs), differ = answer.nodes.filter(node => node.differs).length;
    const side = (one, name) => one ? [bar(one.spans.map(([kind, from, until]) => [answer.kinds[kind], from, until]), whole, `${name}: ${label(one.state)}`), el('span.wi-end', mark(one.state, true), one.end_ms == null ? label(one.state) : duration(one.end_ms), one.attempts > 1 && el('span.dim', ` ${one.attempts} tries`), one.pokes > 1 && el('span.dim', ` ${one.pokes} pokes`))] : [el('div.wi-bar'), el('span.wi-end.dim', 'not there')];
    show(result,
      el('p.note', { class: `note ${answer.what_if.state === 'success' ? 'ok' : answer.what_if.state === 'failed' ? 'bad' : 'go'}` }, mark(answer.what_if.state), sentence(answer.run, answer.what_if)),
      answer.notes.map(text => el('p.dim.padded', rich(text))),
      el('div.bar', el('span.dim.grow', `${differ} of ${answer.total} nodes differ. The upper bar is what happened.`), el('label.row', el('input', { type: 'checkbox', checked: all, onchange: event => ctx.set({ all: event.target.checked ? 'true' : null }) }), 'show all')),
      shown.length ? el('ul.plain.wi', shown.map(node => el('li', el('a.code.cut1', { href: run.nodeLink(node.node) }, node.node), el('div.wi-two', side(node.run, 'as it ran'), side(node.what_if, 'what if'))))) : empty(answer.nodes.length ? 'No node differs.' : 'The run has no nodes.'));
  };
  const update = async (keys, fresh) => {
    if (keys === 'time') return;
    const key = JSON.stringify([asked(), !run.answer.run.finished && fresh && run.answer.records.last || null]);
    if (key === wanted) { if (answer) drawResult(); return; }
    wanted = key;
    try {
      const found = await api([...run.path, 'what-if'], asked(), ctx);
      if (key !== wanted) return;
      answer = found;
      draw(); drawResult();
    } catch (error) { if (error.name === 'AbortError' || key !== wanted) return; draw(); show(result, trouble(error)); }
  };
  await update('url', true);
  return { update };
}
