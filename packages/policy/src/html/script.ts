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
  'other test': 'As another test says', 'other rewriting': 'Accepted with another destination or mark',
  open: 'As limits, time or chance say' };

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
  const section = button.closest('section');
  const place = places.get(button);
  const head = [section.dataset.chain];
  if (place) head.push(place.row.label, place.grid.columns[place.column]);
  document.getElementById('what').textContent = head.join(' · ');
  body.replaceChildren();
  if (place && place.row.names) add(body, 'p', 'the same for ' + place.row.names.join(', '), 'where');
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

// Where each drawn button stands.
const places = new WeakMap();

const OUTCOMES = ['accepted', 'refused', 'open'];

const count = (part) => part.regions ? part.regions.length + (part.isCut ? '+' : '') : part.isCut ? '+' : 1;

function addIcons(parent, names) {
  for (const name of names) add(parent, 'i', undefined, name);
}

function drawCell(line, grid, row, column) {
  const cell = row.cells[column];
  const field = add(line, 'td');
  field.dataset.label = grid.columns[column];
  if (cell === 0) {
    field.className = 'V';
    const dot = add(field, 'span', '·');
    dot.setAttribute('role', 'img');
    dot.setAttribute('aria-label', 'no such call');
    return;
  }
  const [number, state, change] = cell;
  const now = data.signs[state];
  const sign = change ? data.signs[change] : now;
  const button = add(field, 'button', undefined, sign.className);
  button.tabIndex = -1;
  button.dataset.cell = number;
  places.set(button, { grid, row, column });
  const parts = data.cells[number].filter(({ kind }) => OUTCOMES.includes(kind));
  if (state === 'mixed' && !change) {
    for (const part of parts) {
      addIcons(button, data.signs[part.kind].icons);
      add(button, 'span', data.signs[part.kind].words + ' in ', 'said');
      button.append(String(count(part)));
      add(button, 'span', ' regions', 'said');
    }
    return;
  }
  button.setAttribute('aria-label', change ? sign.words + '; now ' + now.words : sign.words);
  addIcons(button, sign.icons);
}

/** Rows that are drawn at a time. */
const SCREEN = 30;

/** The table of a chain: what the filters leave of it is drawn as far as it has been scrolled to. */
class Grid {
  constructor({ chain, columns, rows }) {
    this.columns = columns;
    this.rows = rows;
    this.section = document.querySelector('section[data-chain=' + chain + ']');
    this.table = this.section.querySelector('table');
    this.body = this.table.tBodies[0];
    this.heads = [...this.table.tHead.rows[0].cells].slice(1);
    this.names = columns.map((label) => label.toLowerCase());
    for (const row of rows) row.text = [row.label, ...(row.names || [])].join('\\n').toLowerCase();
    const isChanged = (cell) => cell !== 0 && cell.length === 3;
    this.changed = columns.map((_, at) => rows.some(({ cells }) => isChanged(cells[at])));
    this.refused = columns.map((_, at) => rows.every(({ cells }) => cells[at] === 0 || cells[at][1] === 'refused'));
    for (const row of rows) row.isChanged = row.cells.some(isChanged);
    this.watch = new IntersectionObserver((seen) => {
      if (seen.some(({ isIntersecting }) => isIntersecting)) this.draw();
    });
  }

  filter({ group, place, isChanged, isOpen }) {
    this.live = this.rows.filter((row) => row.text.includes(group) && (!isChanged || row.isChanged));
    this.shown = this.columns.flatMap((_, at) =>
      this.names[at].includes(place) && (!isChanged || this.changed[at]) && (!isOpen || !this.refused[at]) ? [at] : []);
    this.heads.forEach((head, at) => { head.hidden = !this.shown.includes(at); });
    this.drawn = 0;
    this.watch.disconnect();
    this.body.replaceChildren();
    const count = this.shown.length === 0 ? 0 : this.live.length;
    this.section.hidden = count === 0;
    if (count > 0) this.draw();
    return count;
  }

  draw(rows = SCREEN) {
    this.watch.disconnect();
    for (const row of this.live.slice(this.drawn, this.drawn + rows)) {
      const line = add(this.body, 'tr');
      const head = add(line, 'th', row.label);
      head.scope = 'row';
      head.title = (row.names || [row.label]).join(', ');
      for (const column of this.shown) drawCell(line, this, row, column);
    }
    const isFirst = this.drawn === 0;
    this.drawn = Math.min(this.live.length, this.drawn + rows);
    const first = isFirst && this.body.querySelector('button');
    if (first) first.tabIndex = 0;
    if (this.drawn < this.live.length) this.watch.observe(this.body.lastElementChild);
  }
}

const grids = data.grids.map((grid) => new Grid(grid));

window.addEventListener('beforeprint', () => {
  for (const grid of grids) if (!grid.section.hidden) grid.draw(grid.live.length);
});

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function stop(button) {
  for (const other of button.closest('table').querySelectorAll('button[tabindex="0"]')) other.tabIndex = -1;
  button.tabIndex = 0;
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') return close();
  const step = STEPS[event.key];
  const cell = event.target.closest('.grid td');
  if (!step || !cell) return;
  event.preventDefault();
  const { grid } = places.get(cell.querySelector('button'));
  let row = cell.parentElement;
  let column = cell.cellIndex;
  for (;;) {
    if (step[0] > 0) {
      if (!row.nextElementSibling) grid.draw();
      row = row.nextElementSibling;
    }
    if (step[0] < 0) row = row.previousElementSibling;
    column += step[1];
    const next = row && row.cells[column];
    if (!next || column < 1) return;
    const button = next.querySelector('button');
    if (!button) continue;
    stop(button);
    button.focus();
    return;
  }
});

const inputs = ['groups', 'places', 'changed', 'refused'].map((id) => document.getElementById(id));

function filter() {
  const [groups, where, changed, refused] = inputs;
  const [group, place] = [groups, where].map(({ value }) => value.trim().toLowerCase());
  const isChanged = changed !== null && changed.checked;
  const asked = { group, place, isChanged, isOpen: refused.checked };
  let shown = 0;
  for (const grid of grids) shown += grid.filter(asked);
  for (const section of document.querySelectorAll('section[data-chain]:not(:has(table))')) {
    const isSame = isChanged && section.dataset.changed !== '1';
    const isRefused = refused.checked && section.querySelector('.R') !== null;
    section.hidden = isSame || isRefused;
    if (!section.hidden && group === '' && place === '') shown++;
  }
  const isFiltered = group !== '' || place !== '' || refused.checked;
  document.getElementById('nothing').hidden = shown > 0 || !isFiltered;
}

for (const input of inputs) if (input) input.addEventListener('input', filter);
filter();
`;
