// What is supposed on virtual time, as the address has it: a choice and a text that add to it, and tags that take it back.
import { el, button, select } from './base.js';

/** A form of `kinds`, `{ key: [words, example, once] }`; what it returns draws it. */
export const suppositions = (ctx, kinds, name) => {
  let chosen = Object.keys(kinds)[0];
  const text = el('input', { type: 'text', 'aria-label': name, placeholder: kinds[chosen][1], spellcheck: 'false', class: 'mono' });
  const kind = select('Change', key => { chosen = key; text.placeholder = kinds[key][1]; }, Object.entries(kinds).map(([key, [words]]) => [key, words]));
  const add = event => { event.preventDefault(); const given = text.value.trim(); text.value = ''; if (given) ctx.set({ [chosen]: kinds[chosen][2] ? given : [...ctx.all(chosen), given] }, true); };
  // Made once: what is being typed outlives whatever changes meanwhile.
  const form = el('form.row', { onsubmit: add }, kind.set(chosen), text, el('button', { type: 'submit' }, 'Add'));
  return () => [form, el('div.row', Object.keys(kinds).flatMap(key => ctx.all(key).map(one => el('span.tag', `${kinds[key][0].toLowerCase()}: `, el('code', one), ' ', button('×', () => ctx.set({ [key]: ctx.all(key).filter(other => other !== one) }, true), { class: 'quiet icon', 'aria-label': `Take ${one} back` })))))];
};

/** Stretches of time as a bar: each `[kind, from, until]` within `whole`; without an end it lasts. */
export const bar = (spans, whole, name) => el('div.wi-bar', { role: 'img', 'aria-label': name }, spans.map(([kind, from, until]) => {
  const part = el('i', { class: `k-${kind}` });
  // What is short is seen all the same, also at the right edge.
  part.style.left = `${Math.min(99.7, from / whole * 100)}%`; part.style.width = `${Math.max(.3, ((until ?? whole) - from) / whole * 100)}%`;
  return part;
}));
