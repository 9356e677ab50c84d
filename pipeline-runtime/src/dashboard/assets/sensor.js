// One sensor over its runs: how long it waited, with its poke interval and its timeout drawn in.
import { el, svg, show, api, mark, label, link, runLink, splitRun, rich, time, duration, many, select, meter, table, titled, card, empty } from './base.js';
import { bins, offsetTicks } from './ticks.js';

const HEIGHT = 200, LEFT = 34, RIGHT = 16, TOP = 38, BOTTOM = 40;
const MAX_TICKS = 90;
/** The range of the axis and its number of bins: one per poke, while those are few enough to be seen. */
export const axis = (waits, poke, timeout) => {
  const most = Math.max(timeout ?? 0, ...waits, poke ?? 0, 1) * 1.04;
  return { most, count: poke && most / poke <= 60 && most / poke >= 6 ? Math.ceil(most / poke) : 32 };
};
const histogram = (answer, width) => {
  const waits = answer.runs.map(run => run.wait_ms).filter(ms => ms != null), { most, count } = axis(waits, answer.poke_ms, answer.timeout_ms), end = answer.poke_ms && most / answer.poke_ms <= 60 && most / answer.poke_ms >= 6 ? count * answer.poke_ms : most;
  const x = ms => LEFT + ms / end * (width - LEFT - RIGHT), floor = HEIGHT - BOTTOM, all = bins(waits, end, count), arrived = answer.runs.some(run => run.arrival_ms != null) ? bins(answer.runs.map(run => run.arrival_ms).filter(ms => ms != null), end, count) : [], failed = bins(answer.runs.filter(run => run.state === 'failed').map(run => run.wait_ms), end, count), top = Math.max(1, ...all, ...arrived), y = n => floor - n / top * (floor - TOP);
  const text = (words, at, py, attributes) => svg('text', { x: at, y: py, 'text-anchor': 'middle', ...attributes }, words), rule = (at, name, words, row) => at != null && at <= end && [svg('line', { x1: x(at), x2: x(at), y1: TOP - 18 + row * 13, y2: floor, class: name }), text(words, Math.min(width - 44, Math.max(LEFT + 30, x(at))), TOP - 22 + row * 13, { class: name })];
  return svg('svg', { class: 'histogram', width, height: HEIGHT, role: 'img', 'aria-label': `How long it waited in ${many(waits.length, 'run')}: half at most ${duration(answer.p50_ms)}, 95 % at most ${duration(answer.p95_ms)}${answer.timeout_ms ? `, timeout ${duration(answer.timeout_ms)}, ${answer.timeouts} of them timed out` : ''}${answer.unseen_p50_ms != null ? `; half were seen within ${duration(answer.unseen_p50_ms)} of their arrival` : ''}. The table below has each run.` },
    [0, top].map(n => [svg('line', { x1: LEFT, x2: width - RIGHT, y1: y(n), y2: y(n), class: 'base' }), text(String(n), LEFT - 6, y(n) + 4, { 'text-anchor': 'end' })]),
    all.map((n, i) => n > 0 && [svg('rect', { x: x(i * end / count) + 1, y: y(n), width: Math.max(1, x(end / count) - x(0) - 2), height: floor - y(n), rx: 2, class: 'some' }), failed[i] > 0 && svg('rect', { x: x(i * end / count) + 1, y: y(failed[i]), width: Math.max(1, x(end / count) - x(0) - 2), height: floor - y(failed[i]), rx: 2, class: 'bad' })]).filter(Boolean),
    // Arrivals are outlined bars behind those of the waits.
    arrived.map((n, i) => n > 0 && svg('rect', { x: x(i * end / count) + 1, y: y(n), width: Math.max(1, x(end / count) - x(0) - 2), height: floor - y(n), rx: 2, class: 'arrived' })),
    answer.poke_ms && end / answer.poke_ms <= MAX_TICKS && Array.from({ length: Math.floor(end / answer.poke_ms) + 1 }, (_, i) => svg('line', { x1: x(i * answer.poke_ms), x2: x(i * answer.poke_ms), y1: floor, y2: floor + 6, class: 'poke' })),
    offsetTicks(0, end, width - LEFT - RIGHT, 80).map(tick => text(tick.text, x(tick.at), floor + 20)), text(answer.poke_ms ? `after it began to wait; a mark is a poke, each ${duration(answer.poke_ms)}` : 'after it began to wait', LEFT + (width - LEFT - RIGHT) / 2, HEIGHT - 4),
    [[answer.p50_ms, 'p50', `half ${duration(answer.p50_ms)}`, 0], [answer.p95_ms, 'p95', `95 % ${duration(answer.p95_ms)}`, 1], [answer.timeout_ms, 'timeout', `timeout ${duration(answer.timeout_ms)}`, 0]].map(one => rule(...one) || []));
};

export default async function sensor(ctx) {
  const [, pipeline, ...rest] = ctx.path, node = rest.join('/');
  ctx.title(`${node} of ${pipeline}`);
  const chart = el('div.chart'), list = el('div'), body = el('tbody'), head = el('div'), bar = el('header');
  const count = select('Runs', runs => ctx.set({ runs }, true), ['30', '90', '365'].map(n => [n, `last ${n}`]));
  let answer, had;
  const draw = () => { if (answer?.runs.length && chart.clientWidth) show(chart, histogram(answer, chart.clientWidth - 32)); };
  const load = async () => {
    const runs = ctx.get('runs') ?? '90';
    answer = await api(['sensors', pipeline], { node, runs }, ctx);
    const most = Math.max(1, answer.timeout_ms ?? 0, ...answer.runs.map(run => run.wait_ms ?? 0));
    show(head, el('p.crumbs', el('a', { href: link(['p', pipeline]) }, pipeline), ' / ', el('a', { href: 'sensors' }, 'sensors')), el('h1.mono', { tabindex: '-1' }, node), answer.sentence && el('p.note', rich(answer.sentence)));
    show(bar, el('h2.grow', 'How long it waited'), answer.unseen_p50_ms != null && el('span.dim', el('i.arrived', { 'aria-hidden': 'true' }), ' when it arrived, beside when it was seen'), el('span.dim', `${many(answer.runs.length, 'run')}, ${answer.timeouts} timed out`), count.set(runs));
    if (!answer.runs.length) show(chart, empty('It has not waited in any run yet.'));
    draw();
    const told = answer.runs.some(run => run.arrived);
    if (!list.firstChild || told !== had) show(list, table('List of runs', ['State', 'Run', 'Started', '#Pokes', 'Waited', ...told ? ['Arrived', 'Seen', '#Unseen for'] : []], body));
    had = told;
    show(body, answer.runs.map(run => el('tr', el('td.nowrap', mark(run.state, true), ' ', label(run.state)), el('td.wrap', el('a.mono', { href: runLink(run.run, { node }) }, splitRun(run.run)[1])), el('td.nowrap', time(run.started)), el('td.num', run.pokes), el('td.nowrap', meter((run.wait_ms ?? 0) / most, `long ${run.state === 'failed' ? 'low' : 'even'}`), duration(run.wait_ms)), told && [el('td.nowrap', time(run.arrived, 'second')), el('td.nowrap', time(run.seen, 'second')), el('td.num', duration(run.unseen_ms))])));
  };
  show(ctx.root, head, card('Histogram', bar, chart), titled('Each run', list));
  await load();
  const resized = new ResizeObserver(draw); resized.observe(chart);
  ctx.signal.addEventListener('abort', () => resized.disconnect());
  return { update: () => load().catch(() => {}) };
}
