// Further details of a run: its params and settings, its assets, its callbacks.
import { el, show, link, runLink, time } from './base.js';

const block = (title, ...children) => el('section.stack', el('h2', title), children);
export default function details(ctx, host, run) {
  const update = () => {
    const { run: one, settings, updates, callbacks, removed } = run.answer, pairs = Object.entries(settings ?? {});
    show(host, el('div.body.cols.padded',
      block('Parameters', el('pre.json', JSON.stringify(one.params ?? {}, null, 2)), el('div.row', el('a', { href: link(['p', run.pipeline, 'trigger'], { like: run.name }) }, 'Trigger a run with the same parameters'), el('a', { href: link(['compare'], { a: run.name }) }, 'Compare with another run'))),
      pairs.length > 0 && block('Settings', el('dl.facts', pairs.map(([name, value]) => [el('dt', name), el('dd.mono', typeof value === 'string' ? value : JSON.stringify(value))]))),
      updates?.length > 0 && block('Assets', el('ul.plain', updates.map(one => el('li', `${one.verb} `, el('code', one.asset), one.at && [' ', time(one.at, 'second')], one.by && [' by ', one.by.includes('/') ? el('a', { href: runLink(one.by) }, one.by) : one.by])))),
      callbacks?.length > 0 && block('Callbacks', el('ul.plain', callbacks.map(one => el('li', el('strong', one.callback), one.node && [' of ', el('a.code', { href: run.nodeLink(one.node) }, one.node)], ` by ${one.notifier}: ${one.state}`, one.at && [' ', time(one.at, 'second')], one.error && el('pre.error', one.error))))),
      removed?.length > 0 && block('Removed nodes', el('ul.plain.mono', removed.map(id => el('li', id))))));
  };
  update();
  return { update: keys => keys === 'time' || update() };
}
