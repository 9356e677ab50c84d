// Manual trigger: a form whose state is the URL, with a preview from the server while the user types.
import { el, show, api, link, runLink, rich, button, trouble, readOnly } from './base.js';
import { formFields, readForm } from './form.js';
import { ask, dryRun } from './actions.js';

/** The params of the run that the form copies. */
export const paramsOf = async (ctx, like) => { if (!like) return {}; const at = like.indexOf('/'); const { run } = await api(['runs', like.slice(0, at), like.slice(at + 1)], null, ctx); return run.params ?? {}; };

export default async function trigger(ctx) {
  const [, name] = ctx.path, like = ctx.get('like');
  ctx.title(`Trigger ${name}`);
  const [form, params] = await Promise.all([api(['pipelines', name, 'form'], null, ctx), paramsOf(ctx, like)]);
  const fields = formFields(ctx, form.fields, params), will = el('div', { role: 'status' }), date = el('input', { id: 'date', type: 'datetime-local', step: 1, value: ctx.get('date')?.replace(/Z$/, '') ?? '', onchange: event => ctx.set({ date: event.target.value || null }) });
  const go = button(`Trigger ${name} …`, async () => { const done = await ask(ctx, command()); if (done?.run) ctx.go(runLink(done.run)); }, { class: 'main', disabled: true });
  let timer, round = 0;
  const command = () => ({ command: 'trigger', pipeline: name, logical_date: ctx.get('date'), params: readForm(form.fields, ctx.query(), params).params });
  const look = () => {
    const { errors } = readForm(form.fields, ctx.query(), params), mine = ++round;
    fields.tell(errors); go.disabled = true; clearTimeout(timer);
    if (Object.keys(errors).length) { show(will, el('p.note.bad', 'Some values are invalid.')); return; }
    timer = setTimeout(async () => {
      try { const answer = await dryRun(command(), ctx); if (mine === round) { show(will, el('p.note.go', rich(answer.will))); go.disabled = readOnly(); } } catch (error) { if (mine === round && error.status) show(will, trouble(error)); }
    }, 300);
  };
  show(ctx.root, el('div', el('p.crumbs', el('a', { href: link(['p', name]) }, name)), el('h1', { tabindex: '-1' }, `Trigger ${name}`), like && el('p.dim', 'With the parameters of ', el('a', { href: runLink(like) }, like))),
    el('section.card.form', { 'aria-label': 'Parameters' }, el('div.body', fields.nodes, !form.fields.length && el('p.dim', 'This pipeline takes no parameters.'),
      el('div.form-row', el('label', { for: 'date' }, 'Logical date'), el('div', date, el('span.dim', `${/Z$/.test(ctx.get('date') ?? '') ? 'UTC' : form.timezone}; if it is empty, ${form.scheduled ? 'that of the last interval that is over' : 'now'}`))))),
    will, el('div.actions', go, button('Reset', () => { ctx.go(link(['p', name]), true).then(() => ctx.go(link(['p', name, 'trigger']), true)); }), el('a', { href: link(['p', name]) }, 'Leave')));
  look();
  return { update: keys => { if (keys === 'url') { for (const row of ctx.root.querySelectorAll('[name]')) { const text = ctx.get(`p.${row.name}`); if (text != null && row.type !== 'checkbox' && row.value !== text) row.value = text; } } look(); } };
}
