// Assumptions for virtual time, stored in the URL: a select and a text that add one, and tags that remove it.
import { el, button, select } from './base.js';

/** A form of `kinds`, `{ key: [words, example, once] }`; returns a function that draws it. */
export const suppositions = (ctx, kinds, name) => {
  let chosen = Object.keys(kinds)[0];
  const text = el('input', { type: 'text', 'aria-label': name, placeholder: kinds[chosen][1], spellcheck: 'false', class: 'mono' });
  const kind = select('Change', key => { chosen = key; text.placeholder = kinds[key][1]; }, Object.entries(kinds).map(([key, [words]]) => [key, words]));
  const add = event => { event.preventDefault(); const given = text.value.trim(); text.value = ''; if (given) ctx.set({ [chosen]: kinds[chosen][2] ? given : [...ctx.all(chosen), given] }, true); };
  const drop = (key, one) => ctx.set({ [key]: ctx.all(key).filter(other => other !== one) }, true);
  // Created once: text that is being typed survives live changes.
  const form = el('form.row', { onsubmit: add }, kind.set(chosen), text, el('button', { type: 'submit' }, 'Add'));
  return () => [form, el('div.row', Object.keys(kinds).flatMap(key => ctx.all(key).map(one => el('span.tag', `${kinds[key][0].toLowerCase()}: `, button(el('code', one), () => { chosen = key; kind.set(key); text.value = one; drop(key, one); text.focus(); }, { class: 'quiet', title: 'Change it' }), button('×', () => drop(key, one), { class: 'quiet icon', 'aria-label': `Remove ${one}` })))))];
};

/** Periods of time as a bar: each `[kind, from, until]` within `whole`; without an end it lasts. */
export const bar = (spans, whole, name) => el('div.wi-bar', { role: 'img', 'aria-label': name }, spans.map(([kind, from, until]) => {
  const part = el('i', { class: `k-${kind}` });
  // Short periods stay visible, also at the right edge.
  part.style.left = `${Math.min(99.7, from / whole * 100)}%`; part.style.width = `${Math.max(.3, ((until ?? whole) - from) / whole * 100)}%`;
  return part;
}));
