/**
 * What a page does: a cell opens its rules, arrow keys go from cell to cell, boxes filter. It writes
 * text only, never markup. The policy of the page allows this script, by its hash, and no other.
 */

export const SCRIPT = `
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const panel = document.getElementById('panel');
const body = document.getElementById('detail');
let opened;

const WORDS = { accepted: 'Accepted', refused: 'Refused', 'newly accepted': 'Newly accepted',
  'newly refused': 'Newly refused', 'other errno': 'Refused with another errno',
  'other test': 'As another test says' };

function add(parent, name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  parent.append(element);
  return element;
}

function addRules(title, numbers) {
  add(body, 'h4', title);
  for (const number of numbers) {
    const rule = data.rules[number];
    add(body, 'p', rule.where + ' · ' + rule.name + ' · ' + rule.target, 'where');
    add(body, 'pre', [...rule.comments, rule.text || rule.target].join('\\n'));
  }
}

function show(button) {
  const cell = button.closest('td');
  const section = button.closest('section');
  const head = [section.dataset.chain];
  if (cell) {
    head.push(cell.parentElement.cells[0].textContent);
    head.push(cell.closest('table').tHead.rows[0].cells[cell.cellIndex].textContent);
  }
  document.getElementById('what').textContent = head.join(' · ');
  body.replaceChildren();
  for (const part of data.cells[button.dataset.cell]) {
    const regions = part.regions ?? [];
    const isWhole = regions.length === 0 && !part.isCut;
    add(body, 'h3', WORDS[part.kind] + (isWhole ? ': all of these calls' : ''));
    if (!isWhole) {
      const list = add(body, 'ul');
      for (const region of regions) add(list, 'li', region);
      if (part.isCut) add(list, 'li', regions.length ? 'and more regions' : 'too many regions to list');
    }
    if (part.before) addRules('decided before by', part.before);
    addRules(part.before ? 'decides now' : 'decided by', part.rules);
    if (part.moreRules) add(body, 'p', 'and ' + part.moreRules + ' more rules');
    add(body, 'h4', 'for example');
    add(body, 'p').append(add(document.createElement('p'), 'code', part.call));
    add(body, 'pre', data.prefix + part.command);
  }
  if (opened) opened.setAttribute('aria-expanded', 'false');
  opened = button;
  button.setAttribute('aria-expanded', 'true');
  panel.hidden = false;
  panel.scrollTop = 0;
  document.body.classList.add('open');
  panel.focus({ preventScroll: true });
}

function close() {
  if (panel.hidden) return;
  panel.hidden = true;
  document.body.classList.remove('open');
  opened.setAttribute('aria-expanded', 'false');
  opened.focus();
}

document.getElementById('close').addEventListener('click', close);

document.addEventListener('click', ({ target }) => {
  const button = target.closest('button[data-cell]');
  if (button) show(button);
});

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function stop(button) {
  const table = button.closest('table');
  for (const other of table.querySelectorAll('button[tabindex="0"]')) other.tabIndex = -1;
  button.tabIndex = 0;
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') return close();
  const step = STEPS[event.key];
  const cell = event.target.closest('.grid td');
  if (!step || !cell) return;
  event.preventDefault();
  let row = cell.parentElement;
  let column = cell.cellIndex;
  for (;;) {
    if (step[0] > 0) row = row.nextElementSibling;
    if (step[0] < 0) row = row.previousElementSibling;
    column += step[1];
    const next = row && row.cells[column];
    if (!next || column < 1) return;
    const button = next.querySelector('button');
    if (!button || next.hidden || row.hidden) continue;
    stop(button);
    button.focus();
    return;
  }
});

const groups = document.getElementById('groups');
const places = document.getElementById('places');
const changed = document.getElementById('changed');
const label = (cell) => cell.textContent.toLowerCase();

function filter() {
  const [group, place] = [groups, places].map(({ value }) => value.trim().toLowerCase());
  const isChanged = changed !== null && changed.checked;
  let shown = 0;
  for (const section of document.querySelectorAll('section[data-chain]')) {
    const table = section.querySelector('table');
    if (!table) {
      section.hidden = isChanged && section.dataset.changed !== '1';
      continue;
    }
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const live = (cell) => !isChanged || cell.dataset.changed === '1';
    const columns = heads.map((cell, at) => at === 0 || (live(cell) && label(cell).includes(place)));
    let count = 0;
    for (const row of rows) {
      row.hidden = !(live(row.cells[0]) && label(row.cells[0]).includes(group));
      if (!row.hidden) count++;
    }
    if (!columns.slice(1).includes(true)) count = 0;
    for (const row of [table.tHead.rows[0], ...rows])
      for (const [at, cell] of [...row.cells].entries()) cell.hidden = !columns[at];
    section.hidden = count === 0;
    shown += count;
    const first = [...table.querySelectorAll('tbody button')].find((button) => button.offsetParent !== null);
    if (first) stop(first);
  }
  document.getElementById('nothing').hidden = shown > 0 || (group === '' && place === '');
}

for (const input of [groups, places, changed]) if (input) input.addEventListener('input', filter);
filter();
`;
