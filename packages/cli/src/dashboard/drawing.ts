/**
 * The drawing of the live page: peers that call, the groups, and what these call, joined by lines as thick as the calls
 * are many. Like the page's script it makes text and shapes, never markup.
 */

export const DRAWING_STYLE = `
#talk { width: 100%; } #talk svg { display: block; width: 100%; min-width: 44rem; height: auto; } #talk text { font-size: 13px; fill: var(--ink); }
#talk .name { font-weight: 600; } #talk path { fill: none; stroke: currentColor; }
#talk a { background: none; cursor: pointer; color: var(--soft); } #talk a:focus-visible { outline: 3px solid var(--focus); }
#talk a.A { color: var(--yes-ink); } #talk a.R { color: var(--no-ink); stroke-dasharray: 7 4; } #talk a.M { color: var(--mix-ink); stroke-dasharray: 14 4; }
#talk a.O { color: var(--both); stroke-dasharray: 2 4; } #talk a:hover path, #talk a:focus-visible path { stroke-opacity: 1; } #talk path { stroke-opacity: .6; }
`;

export const DRAWING_SCRIPT = `
const SVG = 'http://www.w3.org/2000/svg';
const MOST_PEERS = 30;
const LINE = 26;
const LEFT = 230;
const MIDDLE = [380, 620];
const RIGHT = 820;
const WIDTH = 1120;
const NAME_LENGTH = 34;

function shape(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

/** Who calls whom, of a cell; a port that is only taken is no talk. */
function talkOf(cell) {
  const { chain, call, group } = cell;
  if (chain === 'BIND') return undefined;
  const [from, to] = call.split(' -> ');
  return to === undefined ? { cell, group, to: call } : { cell, group, from };
}

/** Names by how much they are in, the first ones only. */
function mostOf(talks, side) {
  const sums = new Map();
  for (const talk of talks) if (talk[side] !== undefined) sums.set(talk[side], (sums.get(talk[side]) || 0) + total(talk.cell));
  return [...sums].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}

/** Names in the order of what they are joined to, so that few lines cross. */
function untangled(names, talks, side, order) {
  const place = (name) => {
    const joined = talks.filter((talk) => talk[side] === name).map(({ group }) => order.indexOf(group));
    return joined.reduce((sum, at) => sum + at, 0) / joined.length;
  };
  return names.map((name) => [name, place(name)]).sort((a, b) => a[1] - b[1]).map(([name]) => name);
}

function drawTalk(cells) {
  const talks = cells.map(talkOf).filter((talk) => talk !== undefined);
  const groups = mostOf(talks, 'group');
  const sides = { from: mostOf(talks, 'from'), to: mostOf(talks, 'to') };
  const cut = Math.max(0, sides.from.length - MOST_PEERS) + Math.max(0, sides.to.length - MOST_PEERS);
  for (const side of ['from', 'to']) sides[side] = untangled(sides[side].slice(0, MOST_PEERS), talks, side, groups);
  const drawn = talks.filter(({ from, to }) => sides.from.includes(from) || sides.to.includes(to));
  at('talks').hidden = drawn.length === 0;
  at('undrawn').textContent = cut > 0 ? cut + ' more peers are not drawn' : '';
  const focused = document.activeElement && document.activeElement.dataset.line;
  const lines = Math.max(groups.length, sides.from.length, sides.to.length);
  const height = (names, at) => (at + (lines - names.length) / 2 + 1) * LINE;
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 ' + WIDTH + ' ' + (lines + 1) * LINE);
  svg.setAttribute('role', 'group');
  svg.setAttribute('aria-label', 'who talks to whom');
  for (const { cell, group, from, to } of drawn) {
    const side = to === undefined ? 'from' : 'to';
    const peer = height(sides[side], sides[side].indexOf(to === undefined ? from : to)) - 4;
    const own = height(groups, groups.indexOf(group)) - 4;
    const [x1, y1, x2, y2] = side === 'to' ? [MIDDLE[1], own, RIGHT - 8, peer] : [LEFT + 8, peer, MIDDLE[0], own];
    const bend = (x1 + x2) / 2;
    const words = wordsOf(cell).map(([n, word]) => n + ' ' + word).join(', ');
    const name = group === '-' ? 'no group' : group;
    const label = cell.chain + ': ' + (side === 'to' ? name + ' to ' + to : cell.call.replace(' -> ', ' to ') + ' of ' + name) + ': ' + words;
    const line = shape(svg, 'a', { class: stateOf(cell), role: 'button', tabindex: '0', 'aria-label': label });
    line.dataset.line = label.replace(/: [^:]*$/, '');
    line.dataset.search = cell.call;
    shape(line, 'title', {}, label);
    const path = 'M' + x1 + ' ' + y1 + 'C' + bend + ' ' + y1 + ' ' + bend + ' ' + y2 + ' ' + x2 + ' ' + y2;
    shape(line, 'path', { d: path, 'stroke-width': String(1.5 + Math.log2(total(cell)) / 2) });
  }
  const short = (text) => text.length > NAME_LENGTH ? text.slice(0, NAME_LENGTH - 1) + '\\u2026' : text;
  for (const [names, x, anchor] of [[sides.from, LEFT, 'end'], [groups, (MIDDLE[0] + MIDDLE[1]) / 2, 'middle'], [sides.to, RIGHT, 'start']])
    for (const [index, name] of names.entries())
      shape(svg, 'text', { x, y: height(names, index), 'text-anchor': anchor, class: names === groups ? 'name' : 'peer' }, short(name === '-' ? 'no group' : name));
  at('talk').replaceChildren(svg);
  for (const line of svg.querySelectorAll('a')) if (line.dataset.line === focused) line.focus({ preventScroll: true });
}
`;
