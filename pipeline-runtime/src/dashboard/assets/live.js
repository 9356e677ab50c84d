// Live changes: one stream for all tabs of this browser. Browsers open at most six connections to a host, and a stream occupies one permanently.
import { clock, server, pressed } from './base.js';

const NAME = `pipeline-live ${document.baseURI}`, me = `${performance.now()} ${Math.random()}`;
const heard = new Map();                       // topic → functions of this tab
const wanted = new Map();                      // tab → topics, as known to the leader
// On other machines and without TLS there are no locks: each tab then has its own stream while it is visible.
const isAlone = !navigator.locks, channel = isAlone ? { postMessage: () => {} } : new BroadcastChannel(NAME);
let source, sourced = '', release, waiting, boot, hidden, plan;
const due = new Map();

const mine = () => document.hidden && hidden ? [] : [...heard.keys()];
const tell = message => { channel.postMessage(message); receive(message); };
const want = () => tell({ kind: 'want', tab: me, topics: mine() });

/** Calls the listeners at most four times a second per topic, and never concurrently. */
const call = (topic, event) => {
  const at = due.get(topic) ?? {};
  due.set(topic, at);
  if (at.timer || at.busy) { at.again = true; return; }
  const run = async () => {
    if (pressed()) { at.timer = setTimeout(run, 100); return; }
    at.timer = null; at.busy = true; at.last = performance.now(); at.again = false;
    try { await Promise.all([...heard.get(topic) ?? []].map(one => one(event))); } catch { /* a page shows its own errors */ } finally { at.busy = false; }
    if (at.again) call(topic, event);
  };
  at.timer = setTimeout(run, Math.max(0, (at.last ?? -1e9) + 250 - performance.now()));
};
function receive(message) {
  if (message.kind === 'want') { if (message.topics.length) wanted.set(message.tab, message.topics); else wanted.delete(message.tab); if (release) later(); }
  else if (message.kind === 'who') want();
  else if (message.kind === 'down') server.dispatchEvent(new Event('down'));
  else if (message.kind === 'hello') {
    clock.hear(message.now); server.dispatchEvent(new Event('up'));
    boot = message.boot;
    if (message.again) for (const topic of heard.keys()) call(topic, message);
  } else if (message.kind === 'event') { clock.hear(message.data.now); if (heard.has(message.data.topic)) call(message.data.topic, message.data); }
}
channel.onmessage = event => receive(event.data);

// ── The leader
const later = () => { clearTimeout(plan); plan = setTimeout(connect, 50); };
function connect() {
  const topics = [...new Set([...wanted.values()].flat())].sort(), key = topics.join(' ');
  if (key === sourced && source && source.readyState !== EventSource.CLOSED) return;
  const again = sourced !== '';
  source?.close(); source = undefined; sourced = key;
  if (!topics.length) return;
  const stream = source = new EventSource(`api/v1/events?${topics.map(topic => `topic=${encodeURIComponent(topic)}`).join('&')}`);
  let before = again;
  stream.addEventListener('hello', event => { const { boot: now, ...rest } = JSON.parse(event.data); tell({ kind: 'hello', again: before || (boot != null && boot !== now), boot: now, ...rest }); before = true; });
  for (const kind of ['overview', 'run', 'log', 'acts']) stream.addEventListener(kind, event => tell({ kind: 'event', data: JSON.parse(event.data) }));
  stream.onerror = () => { if (stream !== source) return; tell({ kind: 'down' }); if (stream.readyState === EventSource.CLOSED) setTimeout(() => { if (stream === source) connect(); }, 2000); };
}
const lead = () => new Promise(done => {
  release = () => { release = undefined; clearTimeout(plan); source?.close(); source = undefined; done(); };
  wanted.clear(); tell({ kind: 'who' }); later();
});
function stand() {
  if (release || waiting) return;
  if (isAlone) { lead(); return; }
  waiting = new AbortController();
  navigator.locks.request(NAME, { signal: waiting.signal }, () => { waiting = undefined; return lead(); }).catch(() => { waiting = undefined; });
}
function leave() { waiting?.abort(); waiting = undefined; release?.(); }

// A tab that is hidden for 30 s gives its stream away, and reads everything again when it becomes visible.
let timer;
document.addEventListener('visibilitychange', () => {
  clearTimeout(timer);
  if (document.hidden) timer = setTimeout(() => { hidden = true; want(); leave(); }, isAlone ? 0 : 30000);
  else if (hidden) { hidden = false; stand(); want(); for (const topic of heard.keys()) call(topic, {}); }
});
addEventListener('pagehide', () => { channel.postMessage({ kind: 'want', tab: me, topics: [] }); leave(); });
addEventListener('pageshow', event => { if (event.persisted) { stand(); want(); } });

/** Calls `fn` whenever the topic has changed, until the signal aborts. */
export function listen(topic, fn, signal) {
  if (!heard.has(topic)) heard.set(topic, new Set());
  heard.get(topic).add(fn);
  stand(); want();
  signal.addEventListener('abort', () => {
    heard.get(topic)?.delete(fn);
    if (!heard.get(topic)?.size) { heard.delete(topic); due.delete(topic); want(); }
  });
}
