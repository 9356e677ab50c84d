// The small pages: pools, acts, system.
import { el, show, api, mark, chip, runLink, splitRun, rich, time, counts, bytes, button, meter, table, card, titled, empty, readOnly } from './base.js';

const facts = pairs => el('dl.facts', pairs.filter(([, value]) => value != null && value !== '').map(([name, value]) => [el('dt', name), el('dd', value)]));
const MAX_LISTED = 200;

const pools = async (ctx, host) => {
  const { pools: all } = await api(['pools'], null, ctx);
  const list = (ones, state, numbered) => ones.length > 0 && el(numbered ? 'ol' : 'ul', { class: 'items' }, ones.slice(0, MAX_LISTED).map((one, i) => el('li', mark(state, true), numbered && el('span.dim', i + 1), el('span.grow', el('a.mono', { href: runLink(one.run, { node: one.node }) }, one.node), ' ', el('span.dim', splitRun(one.run).join(' '))), el('span.dim.nowrap', 'for ', counts(one.since, 'since')))), ones.length > MAX_LISTED && el('li.dim', `and ${ones.length - MAX_LISTED} more`));
  show(host, all.length ? el('div.cols', all.map(pool => { const full = pool.slots != null && pool.used.length >= pool.slots;
    return card(pool.pool, el('header', el('h2.mono.grow', pool.pool), pool.slots != null && meter(pool.slots ? Math.min(1, pool.used.length / pool.slots) : 0, full ? 'mid' : ''), el('span', pool.slots == null ? `${pool.used.length} used, no limit` : `${pool.used.length} of ${pool.slots} used`), pool.queued.length > 0 && chip('queued', `${pool.queued.length} queued`)),
      list(pool.used, 'running'), pool.queued.length > 0 && el('h3.between-lists', 'Queued, in order'), list(pool.queued, 'queued', true), !pool.used.length && !pool.queued.length && el('p.empty', 'Free.')); })) : empty('There are no pools.'));
};

let more;
const acts = async (ctx, host) => {
  const { acts: list, next } = await api(['acts'], { limit: 100, before: ctx.get('before') }, ctx);
  more = next;
  show(host, card('Acts', list.length ? table('List of acts', ['When', 'Who', 'Asked for', 'Answer'], el('tbody', list.map(one => el('tr', el('td.nowrap', time(one.at, 'second')), el('td.wrap', one.who ?? el('span.dim', '–')), el('td.mono.wrap', one.command), el('td.wrap', mark(one.done ? 'success' : 'failed', true), ' ', rich(one.answer))))), 'acts') : empty('Nobody has asked for anything yet.'),
    el('div.foot', ctx.get('before') && button('Newest', () => ctx.set({ before: null }, true)), more && button('Older', () => ctx.set({ before: more }, true)))));
};

const system = async (ctx, host) => {
  const s = await api(['system'], null, ctx);
  show(host, el('div.cols',
    titled('Journal', el('div.body', facts([['file', el('span.mono', s.journal.name)], ['size', bytes(s.journal.bytes)], ['write-ahead log', bytes(s.journal.wal_bytes)], ['free in it', s.journal.free_bytes != null && bytes(s.journal.free_bytes)]]))),
    titled('Process', el('div.body', facts([['holds the journal', s.holder ? ['process ', s.holder.process, s.holder.command && [', ', el('code', s.holder.command)], ', for ', counts(s.holder.since, 'since')] : chip('no_process', 'no process')], ['this server', ['process ', s.pid, ', for ', counts(s.started, 'since')]], ['version', s.version], ['open streams', s.streams], ['changes', s.read_only || readOnly() ? 'read only' : 'are allowed']])))));
};

export default async function small(ctx) {
  const [which] = ctx.path, [title, draw, intro] = { pools: ['Pools', pools, 'Slots that nodes share, who holds them, and who waits.'], acts: ['Acts', acts, 'The commands of users and their answers.'], system: ['System', system, null] }[which];
  ctx.title(title);
  const host = el('div.stack');
  await draw(ctx, host);
  show(ctx.root, el('div', el('h1', { tabindex: '-1' }, title), intro && el('p.dim', intro)), host);
  const again = () => draw(ctx, host).catch(() => {});
  ctx.live(which === 'acts' ? 'acts' : 'overview', again);
  return { update: again };
}
