// All waiting sensors: what they wait for, their next poke, and their remaining budget.
import { el, show, api, link, runLink, splitRun, time, counts, duration, clock, select, finder, meter, table, card, empty } from './base.js';

const ORDERS = { '': ['least budget', one => one.deadline ? Date.parse(one.deadline) : Infinity], next: ['next poke', one => one.next ? Date.parse(one.next) : Infinity], pokes: ['most pokes', one => -one.pokes], name: ['name', one => `${one.pipeline} ${one.node}`] };
/** The share of a budget that is left now. */
export const left = (one, now) => one.deadline && one.budget_ms ? Math.max(0, Math.min(1, (Date.parse(one.deadline) - now) / one.budget_ms)) : null;

const tone = share => `long ${share < .2 ? 'low' : share < .5 ? 'mid' : ''}`;
const budget = one => {
  const share = left(one, clock.now());
  if (share == null) return el('span.dim', 'no timeout');
  return el('div.row', meter(share, tone(share), { 'data-budget': one.budget_ms, 'data-ends': one.deadline }), el('span.nowrap', counts(one.deadline), el('span.dim', ` of ${duration(one.budget_ms)}`)));
};
const row = one => el('tr',
  el('td.wrap', el('a.title.mono', { href: link(['s', one.pipeline, one.node]) }, one.node), el('span.dim', ' of ', one.pipeline), el('div.dim', el('a', { href: runLink(one.run, { node: one.node }) }, splitRun(one.run)[1]))),
  el('td.mono.wrap', one.looks ?? el('span.dim', '–')), el('td.num', one.pokes), el('td.nowrap', one.last ? time(one.last, 'second') : '–'), el('td.nowrap', one.next ? counts(one.next) : el('span.dim', 'is woken')), el('td', budget(one)));

export default async function sensors(ctx) {
  ctx.title('Sensors');
  const body = el('tbody'), bar = el('div.bar'), said = el('p.dim', { role: 'status' }), foot = el('div');
  let waiting = [], timer, busy;
  const by = select('Order', sort => ctx.set({ sort }, true), Object.entries(ORDERS).map(([key, [name]]) => [key, name]));
  const find = finder('Filter sensors', ctx.get('q'), q => ctx.set({ q }));
  const draw = () => {
    const text = (ctx.get('q') ?? '').toLowerCase(), order = ORDERS[ctx.get('sort') ?? ''] ?? ORDERS[''], list = waiting.filter(one => `${one.run} ${one.node} ${one.looks ?? ''}`.toLowerCase().includes(text));
    list.sort((a, b) => { const [x, y] = [order[1](a), order[1](b)]; return x < y ? -1 : x > y ? 1 : 0; });
    show(bar, find, by.set(ctx.get('sort')), el('span.grow'), said);
    said.textContent = `${waiting.length} wait${waiting.length === 1 ? 's' : ''}`;
    show(body, list.slice(0, 500).map(row));
    show(foot, !list.length && empty(waiting.length ? 'No sensor matches.' : 'No sensor waits.'), list.length > 500 && empty(`The first 500 of ${list.length} are shown.`));
  };
  const load = async () => {
    if (busy) return;
    busy = true; clearTimeout(timer);
    try {
      waiting = (await api(['sensors'], null, ctx)).waiting; draw();
      // A poke that is not ready changes no run: reads again when the first of them is due.
      const next = Math.min(...waiting.map(one => one.next ? Date.parse(one.next) - clock.now() : Infinity));
      if (Number.isFinite(next)) timer = setTimeout(() => document.hidden ? null : load(), Math.max(2000, next + 400));
    } catch (error) { if (error.status) throw error; } finally { busy = false; }
  };
  await load();
  show(ctx.root, el('h1', { tabindex: '-1' }, 'Sensors'), card('Waiting sensors', bar, table('List of sensors', ['Sensor', 'Waits for', '#Pokes', 'Last poke', 'Next poke', 'Budget ends'], body, 'sensors'), foot));
  const burn = setInterval(() => { for (const bar of ctx.root.querySelectorAll('[data-ends]')) { const share = left({ deadline: bar.dataset.ends, budget_ms: Number(bar.dataset.budget) }, clock.now()); bar.firstChild.style.width = `${share * 100}%`; bar.className = `meter ${tone(share)}`; } }, 1000);
  ctx.signal.addEventListener('abort', () => { clearInterval(burn); clearTimeout(timer); });
  ctx.live('overview', load);
  return { update: keys => keys === 'server' || keys === 'zone' ? load() : draw() };
}
