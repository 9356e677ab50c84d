// A backfill: the range, and below it a preview of each interval. The command names that preview by its hash.
import { el, show, api, link, rich, button, titled, empty, trouble, readOnly } from './base.js';
import { formFields, readForm } from './form.js';
import { ask, dryRun, intervalList } from './actions.js';
import { paramsOf } from './trigger.js';

const REPROCESS = [['', 'only without a run'], ['failed', 'also failed ones'], ['all', 'all again']];
export default async function backfill(ctx) {
  const [, name] = ctx.path, like = ctx.get('like');
  ctx.title(`Backfill ${name}`);
  const [form, params] = await Promise.all([api(['pipelines', name, 'form'], null, ctx), paramsOf(ctx, like)]);
  if (!form.scheduled) { show(ctx.root, el('h1', { tabindex: '-1' }, `Backfill ${name}`), empty('It has no schedule, and so no intervals to run.', el('a', { href: link(['p', name, 'trigger']) }, 'Trigger a run'))); return { update: () => {} }; }
  const fields = formFields(ctx, form.fields, params), will = el('div', { role: 'status' }), list = el('div.stack');
  const date = (key, text) => el('div.form-row', el('label', { for: key }, text), el('div', el('input', { id: key, type: 'date', value: ctx.get(key)?.slice(0, 10) ?? '', onchange: event => ctx.set({ [key]: event.target.value }) })));
  const go = button('Backfill …', async () => { const done = await ask(ctx, { ...command(), hash }); if (done) ctx.go(link(['runs'], { pipeline: name, kind: 'backfill' })); }, { class: 'main', disabled: true });
  let timer, round = 0, hash;
  const command = () => { const query = ctx.query(); return { command: 'backfill', pipeline: name, from: query.get('from'), to: query.get('to'), params: readForm(form.fields, query, params).params, max_active_runs: Number(query.get('limit')) || null, reprocess: query.get('reprocess') ?? 'none' }; };
  const look = () => {
    const query = ctx.query(), { errors } = readForm(form.fields, query, params), mine = ++round;
    fields.tell(errors); go.disabled = true; clearTimeout(timer);
    if (!query.get('from') || !query.get('to')) { show(will); show(list, empty('Choose the first day and the last. The intervals appear here before anything is queued.')); return; }
    if (Object.keys(errors).length) { show(will, el('p.note.bad', 'Some values are invalid.')); return; }
    timer = setTimeout(async () => {
      try {
        const answer = await dryRun(command(), ctx);
        if (mine !== round) return;
        const taken = (answer.intervals ?? []).filter(one => one.taken).length;
        hash = answer.hash; show(will, el('p', { class: `note ${taken ? 'go' : 'warn'}` }, rich(answer.will))); show(list, answer.intervals?.length ? intervalList(answer.intervals, name) : empty('No interval lies in this range.'));
        go.textContent = `Backfill ${taken} interval${taken === 1 ? '' : 's'} …`; go.disabled = readOnly() || !taken;
      } catch (error) { if (mine === round && error.status) { show(will, trouble(error)); show(list); } }
    }, 300);
  };
  show(ctx.root, el('div', el('p.crumbs', el('a', { href: link(['p', name]) }, name)), el('h1', { tabindex: '-1' }, `Backfill ${name}`)),
    el('div.cols',
      el('section.card.form', { 'aria-label': 'Range' }, el('div.body', date('from', 'From'), date('to', 'To'),
        el('div.form-row', el('label', { for: 'reprocess' }, 'What is run'), el('div', el('select', { id: 'reprocess', onchange: event => ctx.set({ reprocess: event.target.value }) }, REPROCESS.map(([key, text]) => el('option', { value: key, selected: key === (ctx.get('reprocess') ?? '') }, text))))),
        el('div.form-row', el('label', { for: 'limit' }, 'Runs at once'), el('div', el('input', { id: 'limit', type: 'number', min: 1, value: ctx.get('limit') ?? '', oninput: event => ctx.set({ limit: event.target.value }) }), el('span.dim', 'default: max_active_runs'))),
        form.fields.length > 0 && el('details', { open: [...ctx.query().keys()].some(key => key.startsWith('p.')) }, el('summary', 'Parameters'), fields.nodes))),
      titled('Intervals', el('div.body.stack', will, list))),
    el('div.actions', go, el('a', { href: link(['p', name]) }, 'Leave')));
  look();
  return { update: look };
}
