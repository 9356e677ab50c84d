// The log of a run or of one node: the last lines first, search on the server, and following.
import { el, plain, show, api, link, dateText, isUtc, button, select, finder, trouble } from './base.js';

const LIMIT = 1000, MOST = 20000;
/** Splits the text into parts; every second one is a hit. */
export const hits = (text, find) => {
  if (!find) return [text];
  const out = [], low = text.toLowerCase(), want = find.toLowerCase();
  let at = 0;
  for (let hit = low.indexOf(want); hit >= 0; hit = low.indexOf(want, at)) { out.push(text.slice(at, hit), text.slice(hit, hit + want.length)); at = hit + want.length; }
  return [...out, text.slice(at)];
};

export default async function log(ctx, host, run) {
  const filters = () => { const query = ctx.query(); return { node: query.get('node'), attempt: query.get('attempt'), q: query.get('lq'), level: query.get('level') }; };
  const list = el('ol.lines'), box = el('div.scroll.tall.log', { tabindex: 0, role: 'log', 'aria-live': 'off', 'aria-label': 'Log' }, list);
  const top = el('div.more'), bar = el('div.bar'), jump = button('', () => { follow = true; down(); }, { class: 'main jump', hidden: true });
  const find = finder('Search the log', filters().q, lq => { clearTimeout(timer); timer = setTimeout(() => ctx.set({ lq, line: null }), 300); });
  const byLevel = select('Level', level => ctx.set({ level, line: null }, true), [['', 'all'], ['debug', 'debug and up'], ['info', 'info and up'], ['warn', 'warnings and up'], ['error', 'errors']]);
  let timer, first = 0, last = 0, earlier = false, follow = true, held = 0, asked = '', heard, version = 0, loaded = 0, busy, again;
  box.prepend(top);

  const row = one => {
    const f = filters(), at = String(one.number) === ctx.get('line');
    return el('li', { class: `l v-${one.level}${at ? ' at' : ''}`, 'data-n': one.number },
      el('a.n', { href: run.here({ line: one.number }), 'aria-label': `Line ${one.number}` }, one.number), el('time', { datetime: one.at, title: one.at }, dateText(new Date(one.at), 'milli', isUtc()).slice(11)),
      el('span.v', one.level), !f.node && el('a.w', { href: run.here({ node: one.node, line: null }), title: `Only ${one.node}` }, one.node), el('span.t', hits(plain(one.line), f.q).map((part, i) => i % 2 ? el('mark', part) : part)));
  };
  const down = () => { box.scrollTop = box.scrollHeight; held = 0; jump.hidden = true; };
  const wait = text => show(list, el('li.empty', text));
  const drawTop = () => show(top, earlier ? button('Earlier lines', before) : list.querySelector('.l') && el('span.dim', 'The beginning of the log'));
  const ask = query => api([...run.path, 'logs'], { ...filters(), limit: LIMIT, ...query }, ctx);
  const load = async () => {
    const mine = ++version, line = Number(ctx.get('line'));
    try {
      const answer = await ask(line ? { before: line + LIMIT / 2 } : {});
      if (mine !== version) return;
      first = answer.lines[0]?.number ?? 0; last = answer.lines.at(-1)?.number ?? 0; earlier = answer.earlier;
      if (answer.lines.length) show(list, answer.lines.map(row)); else wait(filters().q ? 'No line has this text.' : filters().node ? 'This node has written nothing yet.' : 'This run has written nothing yet.');
      drawTop();
      const at = line && list.querySelector('.at');
      follow = !at;
      if (at) box.scrollTop = at.offsetTop - box.clientHeight / 2; else down();
    } catch (error) { if (error.status && mine === version) show(list, el('li', trouble(error))); } finally { if (mine === version) { loaded = mine; if (again) more(); } }
  };
  const before = async () => {
    const answer = await ask({ before: first }), height = box.scrollHeight;
    list.prepend(...answer.lines.map(row));
    first = answer.lines[0]?.number ?? first; earlier = answer.earlier;
    drawTop();
    box.scrollTop += box.scrollHeight - height;
  };
  /** Appends new lines; a reader who has scrolled up is not moved, but sees their number. */
  const more = async () => {
    // A load in progress includes the new lines; they would appear twice.
    if (busy || loaded !== version) { again = true; return; }
    busy = true;
    const mine = version;
    try {
      do {
        again = false;
        const answer = await ask({ after: last });
        if (mine !== version || !answer.lines.length) break;
        if (!list.querySelector('.l')) show(list);
        list.append(...answer.lines.map(row));
        last = answer.lines.at(-1).number;
        while (list.children.length > MOST) { list.firstChild.remove(); earlier = true; first = Number(list.firstChild.dataset.n); }
        if (follow) down(); else { held += answer.lines.length; jump.hidden = false; jump.textContent = `${held} new line${held === 1 ? '' : 's'} ↓`; }
        again ||= answer.lines.length >= LIMIT;
      } while (again);
    } catch { /* the banner shows it */ } finally { busy = false; if (again && loaded === version && mine !== version) more(); }
  };
  box.addEventListener('scroll', () => { follow = box.scrollHeight - box.scrollTop - box.clientHeight < 30; if (follow) { held = 0; jump.hidden = true; } }, { passive: true });

  const update = (keys, fresh) => {
    const f = filters(), key = JSON.stringify(f);
    if (keys === 'time') return;
    if (key !== asked || keys === 'zone') {
      asked = key;
      show(bar, find, byLevel.set(f.level),
        f.node && el('span.tag', f.node, f.attempt && ` #${f.attempt}`), f.node && button('All nodes', () => ctx.set({ node: null, attempt: null, line: null }, true)), el('span.grow'), el('a', { href: `api/v1/${link([...run.path, 'log.txt'], { node: f.node, attempt: f.attempt })}`, target: '_blank', rel: 'noopener' }, 'as text'));
      if (find.value !== (f.q ?? '')) find.value = f.q ?? '';
      heard?.abort(); heard = new AbortController();
      if (f.node) { const live = heard.signal; import('./live.js').then(module => { if (!live.aborted) module.listen(`log/${run.name}/${f.node}`, more, live); }); }
      return load();
    }
    if (fresh) return more();
    for (const line of list.querySelectorAll('.at')) line.classList.remove('at');
    list.querySelector(`[data-n="${Number(ctx.get('line'))}"]`)?.classList.add('at');
  };
  show(host, bar, el('div.logs', box, jump));
  await update('url');
  ctx.signal.addEventListener('abort', () => heard?.abort());
  return { update, close: () => { heard?.abort(); clearTimeout(timer); } };
}
