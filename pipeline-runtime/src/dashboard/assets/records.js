// The records of a run, in order; the current one is marked.
import { el, show, api, rich, duration, dateText, isUtc, button, table, trouble } from './base.js';

const PAGE = 500;
export default async function records(ctx, host, run) {
  let from = 0, list = [], last = 0, loaded = '';
  const body = el('tbody'), bar = el('div.bar');
  const at = () => run.answer.records.at;
  const load = async () => {
    const want = Math.max(0, Math.floor((at() - 1) / PAGE) * PAGE);
    from = from <= at() - 1 && at() - 1 < from + PAGE && list.length ? from : want;
    try { await read(true); } catch (error) { if (error.status) show(host, trouble(error)); }
  };
  const page = to => { from = Math.max(0, to); read(); };
  const read = async follow => { const answer = await api([...run.path, 'records'], { after: from, limit: PAGE }, ctx); list = answer.records; last = answer.last; draw(follow); };
  const draw = follow => {
    show(bar, el('span.dim.grow', `Records ${list[0]?.number ?? 0} – ${list.at(-1)?.number ?? 0} of ${last.toLocaleString('en')}. A click shows the run as of that record.`), button('Earlier', () => page(from - PAGE), { disabled: from === 0 }), button('Later', () => page(from + PAGE), { disabled: from + PAGE >= last }));
    show(body, list.map(one => el('tr', { 'aria-current': one.number === at() ? 'true' : null, 'data-n': one.number },
      el('td.num', el('a', { href: run.here({ record: one.number }), 'aria-label': `Record ${one.number}` }, one.number)), el('td.mono.nowrap', { title: one.at }, dateText(new Date(one.at), 'milli', isUtc()).slice(11), el('span.dim', ` +${duration(one.at_ms)}`)), el('td.nowrap', one.what), el('td', one.node && el('a.code', { href: run.here({ node: one.node }) }, one.node)), el('td.wrap', rich(one.text)))));
    const current = follow && body.querySelector('[aria-current]');
    if (current) box.scrollTop = current.offsetTop - box.clientHeight / 2;
  };
  const box = table('Records', ['#No.', 'Time', 'What', 'Node', 'Text'], body);
  box.classList.add('tall');
  show(host, bar, box);
  const update = (keys, fresh) => { const key = `${at()} ${ctx.get('record')}`; if (keys === 'time' || !fresh && key === loaded) return; loaded = key; return load(); };
  await update('url', true);
  return { update };
}
