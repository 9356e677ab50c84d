// Commands: a dialog that shows a preview, asks for confirmation, and reports the answer.
import { el, show, api, mark, label, runLink, splitRun, rich, time, button, trouble } from './base.js';

const MAX_LISTED = 500;
const short = run => splitRun(run)[1];
/** The texts of a command: its title, the label of the button, and whether it is dangerous. */
export const words = command => {
  const nodes = command.nodes ?? [], what = nodes.length === 1 ? nodes[0] : nodes.length ? `${nodes.length} nodes` : 'the failed nodes';
  switch (command.command) {
    case 'retry': return { title: `Retry ${what}?`, of: command.run, yes: `Retry ${what}` };
    case 'skip': return { title: `Skip ${command.node}?`, of: command.run, yes: `Skip ${command.node}`, danger: true };
    case 'cancel': return { title: 'Cancel this run?', of: command.run, yes: `Cancel ${short(command.run)}`, danger: true };
    case 'pause': return command.paused ? { title: `Pause ${command.pipeline}?`, yes: `Pause ${command.pipeline}` } : { title: `Unpause ${command.pipeline}?`, yes: `Unpause ${command.pipeline}` };
    case 'trigger': return { title: `Trigger a run of ${command.pipeline}?`, yes: `Trigger ${command.pipeline}` };
    case 'retry_all': return { title: 'Retry all of these runs?', yes: 'Retry all' };
    case 'cancel_all': return { title: 'Cancel all of these runs?', yes: 'Cancel all', danger: true };
    case 'backfill': return { title: `Backfill ${command.pipeline}?`, yes: `Backfill ${command.pipeline}` };
    default: return { title: `${command.command}?`, yes: command.command };
  }
};
/** Idempotency key: two clicks, or a second try after a lost answer, are one command. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');

const more = (list, what) => list.length > MAX_LISTED && el('li', el('span.dim', `and ${(list.length - MAX_LISTED).toLocaleString('en')} more ${what}`));
const had = (one, pipeline) => one.run ? el('a', { href: runLink(one.run.includes('/') ? one.run : `${pipeline}/${one.run}`) }, label(one.state)) : 'has a run';
const items = (name, list, draw) => el('ul.items.list', { tabindex: 0, 'aria-label': name }, list.slice(0, MAX_LISTED).map(draw), more(list, name.toLowerCase()));
export const intervalList = (intervals, pipeline) => items('Intervals', intervals, one => el('li', { class: one.taken ? null : 'out' }, mark(one.taken ? 'queued' : 'skipped'), el('span.grow.mono', time(one.start, 'minute', true), ' – ', time(one.end, 'minute', true)),
  el('span.dim', one.taken ? one.run ? ['runs again; it was ', had(one, pipeline)] : 'is run' : ['left out: ', had(one, pipeline)])));
const nodeList = nodes => nodes.length > 0 && items('Nodes', nodes, one => el('li', mark(one.from, true), el('span.grow.mono', one.node), el('span.dim', label(one.from), ' → '), el('span', rich(one.to))));
const runList = runs => runs.length > 0 && items('Runs', runs, one => el('li', mark(one.state, true), el('a.grow.mono.wrap', { href: runLink(one.run) }, one.run)));

/** Previews a command. Writes nothing. */
export const dryRun = (command, options) => api(['commands'], { dry_run: true }, { ...options, body: command });

/** Shows the whole dialog. Resolves to the answer, or to null if it was closed. */
export function ask(ctx, given, done) {
  const command = { ...given }, key = newKey(), name = words(command), from = document.activeElement;
  const body = el('div.stack', el('p.dim', 'Loading a preview …')), status = el('div', { role: 'status' });
  const leave = button('Cancel', () => dialog.close(), { autofocus: true });
  if (name.danger && command.command !== 'skip') leave.textContent = command.command === 'cancel' ? 'Keep it running' : 'Keep them running';
  const yes = button(name.yes, () => send(), { class: `main${name.danger ? ' danger' : ''}`, disabled: true });
  const deep = command.command.startsWith('retry') && el('label.row', el('input', { type: 'checkbox', checked: command.downstream, onchange: event => { command.downstream = event.target.checked; look(); } }), 'and everything downstream');
  const dialog = el('dialog', { 'aria-labelledby': 'ask', onclose: () => { dialog.remove(); finish(result); if (from?.isConnected) from.focus(); } },
    el('div', el('h2', { id: 'ask' }, name.title), name.of && el('p.dim.mono.wrap', name.of), deep, body, status, el('div.actions', leave, yes)));
  let result = null, finish, round = 0, hash = command.hash;
  const answered = new Promise(resolve => { finish = resolve; });
  const refused = error => el('div', error.status ? trouble(error) : el('p.note.bad', 'The server did not answer. It is unknown whether it was done; trying again does it at most once.'));
  const look = async () => {
    const mine = ++round;
    yes.disabled = true;
    try {
      const answer = await dryRun(command, ctx);
      if (mine !== round) return;
      if (answer.hash && (answer.runs || command.command === 'backfill')) hash = answer.hash;
      show(body, el('p', rich(answer.will)), answer.nodes && nodeList(answer.nodes), answer.runs && runList(answer.runs), answer.intervals?.length > 0 && intervalList(answer.intervals, command.pipeline), answer.possible === false && el('p.note.bad', rich(answer.why_not ?? 'This is not possible now.')));
      const count = command.command === 'cancel_all' && answer.possible && answer.runs.length > 1 ? String(answer.runs.length) : '';
      // Cancelling many runs takes more than two clicks.
      if (count) body.append(el('label.field', el('span', `Type ${count} to confirm`), el('input', { type: 'text', inputmode: 'numeric', autocomplete: 'off', oninput: event => { yes.disabled = event.target.value.trim() !== count; } })));
      yes.disabled = answer.possible === false || count !== '';
    } catch (error) { if (mine === round && error.name !== 'AbortError') show(body, refused(error)); }
  };
  const send = async () => {
    if (yes.getAttribute('aria-busy') === 'true') return;
    yes.setAttribute('aria-busy', 'true'); yes.textContent = 'Working …'; deep && (deep.inert = true);
    show(status);
    try {
      result = await api(['commands'], { dry_run: false }, { body: { ...command, ...hash && { hash } }, headers: { 'idempotency-key': key } });
      dialog.close();
      const refused = result.refused ?? [];
      ctx.say([result.text ?? 'Done.', ...refused.slice(0, 3).map(one => `${one.run}: ${one.why}`), refused.length > 3 && `and ${refused.length - 3} more`].filter(Boolean).join(' '), refused.length ? 'bad' : 'ok');
      done?.(result);
    } catch (error) { show(status, refused(error)); yes.textContent = name.yes; if (error.status) yes.disabled = true; deep && (deep.inert = false); } finally { yes.removeAttribute('aria-busy'); }
  };
  document.body.append(dialog);
  dialog.showModal(); leave.focus();
  ctx.signal.addEventListener('abort', () => dialog.close());
  look();
  return answered;
}
