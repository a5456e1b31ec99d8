/**
 * What the live page does: it listens, draws, filters and asks. It writes text only, never markup, and asks for
 * nothing that changes anything.
 */
import { DRAWING_SCRIPT } from './drawing.js';

export const LIVE_SCRIPT = `
'use strict';
const token = new URLSearchParams(location.search).get('token');
const at = (id) => document.getElementById(id);
const ask = (path) => path + (path.includes('?') ? '&' : '?') + 'token=' + encodeURIComponent(token);
const MOST_ROWS = 300;
const MOST_COLUMNS = 24;
const SIGNS = { refused: 'n', audit: 'q', passed: 'y' };
let shown = [];
let opened;

function add(parent, name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  parent.append(element);
  return element;
}

const textOf = (event) => [event.what, event.chain, event.group, event.program, event.pid, event.call, event.rule, event.text]
  .join(' ').toLowerCase();

function wanted(event) {
  const words = at('filter').value.trim().toLowerCase();
  return words === '' || event.search.includes(words);
}

function rowOf(event) {
  const row = document.createElement('tr');
  add(row, 'td', event.time.slice(11, 23));
  const sign = add(add(row, 'td'), 'button', undefined, event.kind === 'refused' ? 'R' : event.kind === 'passed' ? 'A' : 'O');
  sign.type = 'button';
  sign.dataset.number = event.number;
  add(sign, 'i', undefined, SIGNS[event.kind] || 'q');
  sign.append(' ' + event.what);
  for (const cell of [event.chain, event.group, event.program + (event.pid ? '[' + event.pid + ']' : ''), event.call, event.rule])
    add(row, 'td', cell);
  return row;
}

function drawFeed() {
  const focused = document.activeElement && document.activeElement.dataset.number;
  const rows = shown.filter(wanted).slice(0, MOST_ROWS).map(rowOf);
  at('feed').replaceChildren(...rows);
  at('quiet').hidden = rows.length > 0;
  if (focused) {
    const again = document.querySelector('button[data-number="' + focused + '"]');
    if (again) again.focus({ preventScroll: true });
  }
}

function hear(events) {
  for (const event of events) event.search = textOf(event);
  shown = [...events.toReversed(), ...shown].slice(0, 2000);
  if (!at('paused').checked) drawFeed();
}

const total = ({ refused, audited, passed }) => refused + audited + passed;
const stateOf = ({ refused, audited, passed }) => refused ? (passed ? 'M' : 'R') : audited ? 'O' : 'A';
const wordsOf = ({ refused, audited, passed }) =>
  [[refused, 'refused', 'n'], [audited, 'audited', 'q'], [passed, 'passed', 'y']].filter(([n]) => n > 0);
${DRAWING_SCRIPT}

function drawMatrix(cells) {
  const columns = new Map();
  for (const cell of cells) {
    const name = cell.chain + ' ' + cell.call;
    columns.set(name, (columns.get(name) || 0) + total(cell));
  }
  const names = [...columns].sort((a, b) => b[1] - a[1]).slice(0, MOST_COLUMNS).map(([name]) => name);
  const groups = [...new Set(cells.map(({ group }) => group))].sort();
  const head = at('matrix').tHead.rows[0];
  const focused = document.activeElement && document.activeElement.dataset.cell;
  head.replaceChildren();
  add(head, 'th', 'group').scope = 'col';
  for (const name of names) add(add(head, 'th'), 'span', name).parentElement.scope = 'col';
  const lines = groups.map((group) => {
    const line = document.createElement('tr');
    add(line, 'th', group === '-' ? 'no group' : group).scope = 'row';
    for (const name of names) {
      const field = add(line, 'td');
      field.dataset.label = name;
      const cell = cells.find((each) => each.group === group && each.chain + ' ' + each.call === name);
      if (!cell) {
        field.className = 'V';
        continue;
      }
      const button = add(field, 'button', undefined, stateOf(cell));
      button.type = 'button';
      button.dataset.cell = group + ' ' + name;
      button.dataset.search = cell.call;
      const words = wordsOf(cell);
      button.setAttribute('aria-label', words.map(([n, word]) => n + ' ' + word).join(', '));
      for (const [n, , icon] of words) {
        add(button, 'i', undefined, icon);
        button.append(String(n));
      }
    }
    return line;
  });
  at('matrix').tBodies[0].replaceChildren(...lines);
  at('none').hidden = lines.length > 0;
  at('grid').hidden = lines.length === 0;
  at('cut').textContent = columns.size > names.length ? columns.size - names.length + ' more destinations have no column' : '';
  for (const button of document.querySelectorAll('button[data-cell]')) if (button.dataset.cell === focused) button.focus({ preventScroll: true });
}

function drawCounters(counters) {
  const lines = counters.map(({ chain, rule, text, calls }) => {
    const line = document.createElement('tr');
    add(line, 'td', chain + (rule ? ' ' + rule : ''));
    const number = add(line, 'td', calls);
    number.dataset.calls = calls;
    add(add(line, 'td'), 'code', text);
    return line;
  });
  at('counters').replaceChildren(...lines);
}

function drawState({ cells, counters, lost, uncounted }) {
  drawTalk(cells);
  drawMatrix(cells);
  if (counters) drawCounters(counters);
  const sum = (of) => cells.reduce((all, cell) => all + cell[of], 0).toLocaleString('en');
  at('refused').textContent = sum('refused');
  at('audited').textContent = sum('audited');
  at('lost').textContent = (lost + uncounted).toLocaleString('en');
}

async function explain(button) {
  opened = button.dataset.number;
  const body = at('detail');
  body.replaceChildren();
  at('what').textContent = 'Event ' + opened;
  at('panel').hidden = false;
  document.body.classList.add('open');
  at('panel').focus({ preventScroll: true });
  const answer = await fetch(ask('explain?event=' + opened));
  if (!answer.ok) {
    add(body, 'p', 'This event is not kept any more.');
    return;
  }
  const { event, line, asked, isOneOfSeveral, proposal } = await answer.json();
  body.replaceChildren();
  at('what').textContent = [event.kind, event.chain, event.call ? event.call.destination : ''].join(' · ');
  add(body, 'h3', 'Decided by');
  const { rule } = event;
  if (rule) {
    const place = (rule.rule ? 'rule ' + rule.rule : 'the policy') + ' of ' + rule.chain;
    add(body, 'p', place + (line ? ', line ' + line + ' of sockfilter save' : ''), 'where');
    add(body, 'pre', rule.text);
  } else add(body, 'p', 'no rule: it failed closed');
  if (asked.length > 0) {
    add(body, 'h3', 'Rules that were asked');
    const list = add(body, 'ul');
    for (const { chain, rule, text, matched, failed } of asked) {
      const item = add(list, 'li', chain + (rule ? ' ' + rule : '') + ': ' + (matched ? 'matches' : 'not the ' + failed.join(', ')));
      add(item, 'pre', text);
    }
    if (isOneOfSeveral) add(body, 'p', 'Other ways lead there too, by what limits, sets, chance or marks said.');
  }
  if (proposal) {
    add(body, 'h3', 'A rule that would let it pass');
    add(body, 'p', 'This page runs nothing. Put it in force yourself if it is right:');
    add(body, 'pre', proposal).id = 'proposal';
  }
  add(body, 'h3', 'The event');
  add(body, 'pre', JSON.stringify(event, null, 1));
}

function close() {
  if (at('panel').hidden) return;
  at('panel').hidden = true;
  document.body.classList.remove('open');
  const button = document.querySelector('button[data-number="' + opened + '"]');
  if (button) button.focus();
}

function filterBy(target) {
  const chosen = target.closest('[data-search]');
  if (!chosen) return;
  at('filter').value = chosen.dataset.search;
  drawFeed();
}

document.addEventListener('click', ({ target }) => {
  const event = target.closest('button[data-number]');
  if (event) explain(event);
  filterBy(target);
});
document.addEventListener('keydown', (pressed) => {
  const { key, target } = pressed;
  if (key === 'Escape') close();
  // A shape is no button by itself.
  if ((key === 'Enter' || key === ' ') && target.dataset.line) {
    pressed.preventDefault();
    filterBy(target);
  }
});
at('close').addEventListener('click', close);
at('filter').addEventListener('input', drawFeed);
at('paused').addEventListener('change', drawFeed);
at('exact').href = ask('rules');

const source = new EventSource(ask('events'));
source.addEventListener('open', () => { at('state').textContent = 'live'; });
source.addEventListener('error', () => { at('state').textContent = 'not connected: trying again'; });
source.addEventListener('calls', ({ data }) => hear(JSON.parse(data)));
source.addEventListener('state', ({ data }) => drawState(JSON.parse(data)));
`;
