// A form generated from a params type. Its state is the URL: `p.NAME=TEXT`; other fields have their defaults.
import { el } from './base.js';

const at = (object, name) => name.split('.').reduce((inner, key) => inner?.[key], object);
const put = (object, name, value) => { const keys = name.split('.'), last = keys.pop(); let inner = object; for (const key of keys) inner = inner[key] ??= {}; inner[last] = value; };
/** A value as the text of its input. */
export const toText = (field, value) => value == null ? '' : field.type === 'json' || typeof value === 'object' ? JSON.stringify(value) : field.type === 'datetime' ? String(value).replace(/(:\d\d)(\.\d+)?(Z|\+00:00)$/, '$1') : String(value);
/** Parses the text of an input. Returns the value or an error. */
export const toValue = (field, text) => {
  if ((text === '' || text === 'null') && field.optional) return { value: null };
  switch (field.type) {
    case 'integer': case 'number': {
      const value = Number(text);
      if (text.trim() === '' || Number.isNaN(value)) return { error: 'a number is needed' };
      if (field.type === 'integer' && !Number.isInteger(value)) return { error: 'a whole number is needed' };
      if (field.min != null && value < field.min) return { error: `at least ${field.min}` };
      if (field.max != null && value > field.max) return { error: `at most ${field.max}` };
      return { value };
    }
    case 'boolean': return { value: text === 'true' };
    case 'choice': return field.choices?.includes(text) ? { value: text } : { error: `one of ${field.choices?.join(', ')}` };
    case 'json': try { return { value: JSON.parse(text) }; } catch { return { error: 'invalid JSON' }; }
    case 'datetime': { const whole = /(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text.length === 16 ? `${text}:00` : text}Z`; return Number.isNaN(Date.parse(whole)) ? { error: 'a date with its time is needed' } : { value: whole }; }
    case 'date': return /^\d{4}-\d\d-\d\d$/.test(text) ? { value: text } : { error: 'a date is needed' };
    default: return { value: text };
  }
};
/** Returns the values that differ from the defaults, and the errors by field. `like` are the params of a run that replace the defaults. */
export const readForm = (fields, query, like) => {
  const params = {}, errors = {};
  for (const field of fields) {
    const given = query.get(`p.${field.name}`), { value, error } = given == null ? { value: at(like, field.name) ?? field.default } : toValue(field, given);
    if (error) errors[field.name] = error; else if (JSON.stringify(value) !== JSON.stringify(field.default)) put(params, field.name, value);
  }
  return { params, errors };
};

// The bounds of a wide integer are not informative.
const told = bound => bound != null && Math.abs(bound) < 1e10;
const bounds = ({ min, max }) => told(min) && told(max) ? `${min} – ${max}` : told(min) ? `at least ${min}` : told(max) ? `at most ${max}` : null;

const input = (field, text, id, change) => {
  const shared = { id, 'aria-describedby': `${id}-e`, name: field.name };
  const changed = event => change(event.target.value);
  switch (field.type) {
    case 'boolean': return el('input', { ...shared, type: 'checkbox', checked: text === 'true', onchange: event => change(String(event.target.checked)) });
    case 'choice': return el('select', { ...shared, onchange: changed }, field.optional && el('option', { value: '' }, 'none'), field.choices.map(one => el('option', { value: one, selected: one === text }, one)));
    case 'json': return el('textarea', { ...shared, rows: 3, value: text, oninput: changed, class: 'mono', spellcheck: 'false' });
    case 'integer': case 'number': return el('input', { ...shared, type: 'number', step: field.type === 'integer' ? 1 : 'any', min: told(field.min) ? field.min : null, max: told(field.max) ? field.max : null, value: text, oninput: changed });
    case 'date': return el('input', { ...shared, type: 'date', value: text, onchange: changed });
    case 'datetime': return el('input', { ...shared, type: 'datetime-local', step: 1, value: text.replace(/(Z|\+00:00)$/, ''), onchange: changed });
    default: return el('input', { ...shared, type: 'text', value: text, oninput: changed, spellcheck: 'false' });
  }
};
/** The fields, and a function that shows their errors. */
export const formFields = (ctx, fields, like) => {
  const rows = fields.map((field, i) => {
    const id = `f${i}`, fallback = toText(field, at(like, field.name) ?? field.default), error = el('p.wrong', { id: `${id}-e` });
    const given = ctx.get(`p.${field.name}`), control = input(field, given === 'null' && field.optional ? '' : given ?? fallback, id, text => ctx.set({ // The URL has no empty values, so an emptied field is written as null.
      [`p.${field.name}`]: text === fallback ? null : text === '' && field.optional ? 'null' : text }));
    const hint = [['text', 'choice', 'boolean'].includes(field.type) ? null : field.type === 'datetime' ? 'date and time, UTC' : field.type, bounds(field), field.optional ? 'may be empty' : null].filter(Boolean).join(', ');
    return { field, control, error, node: el('div.form-row', el('label.mono', { for: id }, field.name), el('div', control, hint && el('span.dim', hint), error)) };
  });
  return { nodes: rows.map(row => row.node), tell: errors => { for (const { field, control, error } of rows) { const text = errors[field.name] ?? ''; error.textContent = text; control.setAttribute('aria-invalid', text ? 'true' : 'false'); } } };
};
