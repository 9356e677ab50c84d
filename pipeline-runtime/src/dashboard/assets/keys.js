// Shortcuts: each of them is also a button or a link. They can be turned off, and are inactive while the user types.
import { el, setting, button } from './base.js';

const PLACES = { o: ['.', 'Overview'], r: ['runs', 'Runs'], s: ['sensors', 'Sensors'], p: ['pools', 'Pools'], a: ['acts', 'Acts'], y: ['system', 'System'] };
let armed, timer;
const off = () => setting('keys') === 'off';

const help = page => {
  const row = (keys, text) => el('tr', el('td.nowrap', keys.map(key => [el('kbd', key), ' '])), el('td', text));
  const table = (title, rows) => el('section.stack', el('h3', title), el('table.keys', el('tbody', rows)));
  const sure = el('label.row', el('input', { type: 'checkbox', checked: !off(), onchange: event => setting('keys', event.target.checked ? 'on' : 'off') }), 'Shortcuts are on');
  const dialog = el('dialog', { 'aria-labelledby': 'keys', onclose: () => dialog.remove() }, el('div', el('h2', { id: 'keys', tabindex: -1, autofocus: true }, 'Keyboard shortcuts'), el('div.cols',
    table('Everywhere', [row(['/'], 'Find on this page'), row(['?'], 'This list'), ...Object.entries(PLACES).map(([key, [, text]]) => row(['g', key], text))]),
    page?.keys && table('On this page', Object.entries(page.keys).map(([key, [text]]) => row([key], text))),
    table('In the Gantt', [row(['↑', '↓', 'PgUp', 'PgDn', 'Home', 'End'], 'Rows'), row(['→', '←'], 'Unfold, fold a mapping'), row(['Enter'], 'Open the node'), row(['+', '−', '0'], 'Zoom in, out, fit'), row(['Shift →', 'Shift ←'], 'Move in time')])),
    sure, el('div.actions', button('Close', () => dialog.close()))));
  document.body.append(dialog); dialog.showModal();
};

export function press(event, { page, go }) {
  const { key } = event, now = page();
  if (key === '?') return help(now);
  if (off()) return;
  clearTimeout(timer);
  if (armed) { armed = false; const place = PLACES[key]; if (place) { go(place[0]); return; } }
  if (key === 'g') { armed = true; timer = setTimeout(() => { armed = false; }, 1200); return; }
  now?.keys?.[key]?.[1]();
}
