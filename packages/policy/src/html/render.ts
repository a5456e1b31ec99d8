/** A page as one HTML file that loads nothing. */
import { CHAINS } from '@sockfilter/table';
import { CHANGE_KINDS } from '../change.js';
import { policyHash } from '../digest.js';
import type { Cell, CellChange, CellPart, ChainMatrix, Page } from './model.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';
import { embedJson, escapeHtml } from './text.js';

/** From this many columns on their heads stand upright. */
const TALL_COLUMNS = 9;
/** Rules of the list at the end. */
const MAX_LISTED_RULES = 500;

interface Sign {
  readonly className: string;
  readonly icons: readonly string[];
  readonly words: string;
}

const CHANGE_SIGNS: Readonly<Record<CellChange, Sign>> = {
  'newly accepted': { className: 'CA', icons: ['plus'], words: 'newly accepted' },
  'newly refused': { className: 'CR', icons: ['minus'], words: 'newly refused' },
  both: { className: 'CB', icons: ['plus', 'minus'], words: 'newly accepted and newly refused' },
  'other errno': { className: 'CE', icons: ['ne'], words: 'another errno' },
  'other test': { className: 'CE', icons: ['ne'], words: 'another test' },
  'other rewriting': { className: 'CE', icons: ['ne'], words: 'another destination or mark' },
};

const STATE_SIGNS = {
  accepted: { className: 'A', icons: ['y'], words: 'accepted' },
  refused: { className: 'R', icons: ['n'], words: 'refused' },
  open: { className: 'O', icons: ['q'], words: 'as limits, time or chance say' },
  mixed: { className: 'M', icons: ['y', 'n'], words: 'some accepted, some refused' },
} as const satisfies Readonly<Record<string, Sign>>;

const icon = (name: string) => `<i class="${name}"></i>`;

function signHtml({ className, icons, words }: Sign): string {
  return `<span class="s ${className}">${icons.map(icon).join('')}</span>${words}`;
}

/** The part without what is empty: there can be thousands. */
function packPart(part: CellPart, prefix: number): object {
  const { kind, regions, isCut, rules, before, moreRules, call, command } = part;
  return {
    kind,
    ...(regions.length > 0 && { regions }),
    ...(isCut && { isCut }),
    rules,
    before,
    ...(moreRules > 0 && { moreRules }),
    call,
    command: command.slice(prefix),
  };
}

/** Cells as the script has them: the number of its parts, its state, and its change if there is one. */
class CellList {
  readonly parts: (readonly CellPart[])[] = [];

  add({ state, change, parts }: Cell): readonly (number | string)[] | 0 {
    if (state === 'void') return 0;
    const number = this.parts.push(parts) - 1;
    return change ? [number, state, change] : [number, state];
  }
}

/** The cell of a chain that is one. */
function wholeHtml({ state, change, parts }: Cell, cells: CellList): string {
  if (state === 'void') return '';
  const number = cells.parts.push(parts) - 1;
  const { className, icons } = change ? CHANGE_SIGNS[change] : STATE_SIGNS[state];
  const words = `every call is ${STATE_SIGNS[state].words}`;
  return `<p class="whole"><button class="${className}" data-cell="${number}">${icons.map(icon).join('')} ${words}</button></p>`;
}

/** What the page's script reads. */
function pageData({ rules, matrices }: Page, cells: CellList): object {
  const grids = matrices
    .filter(({ whole }) => !whole)
    .map(({ chain, columns, rows }) => ({
      chain,
      columns,
      rows: rows.map((row) => ({
        label: row.label,
        ...(row.names.length > 0 && { names: row.names }),
        cells: row.cells.map((cell) => cells.add(cell)),
      })),
    }));
  const all = cells.parts.flat();
  const first = all[0]?.command ?? '';
  let length = first.length;
  for (const { command } of all) {
    while (!command.startsWith(first.slice(0, length))) length--;
  }
  const packed = cells.parts.map((cell) => cell.map((part) => packPart(part, length)));
  const signs = { ...STATE_SIGNS, ...CHANGE_SIGNS };
  return { rules, prefix: first.slice(0, length), signs, grids, cells: packed };
}

function isChanged(cells: readonly (Cell | undefined)[]): string {
  return cells.some((cell) => cell?.change !== undefined) ? ' data-changed="1"' : '';
}

/** Its rows are drawn by the script, as they are scrolled to. */
function matrixHtml({ columns, chain }: ChainMatrix): string {
  const heads = columns.map((label) => `<th scope="col"><span>${escapeHtml(label)}</span></th>`);
  const tall = columns.length >= TALL_COLUMNS ? ' tall' : '';
  return `<div class="scroll" tabindex="0" role="region" aria-label="${chain}, groups by destinations"><table class="grid${tall}"><caption hidden>${chain}: groups by destinations</caption><thead><tr><th scope="col">group</th>${heads.join('')}</tr></thead><tbody></tbody></table></div>`;
}

function chainHtml(matrix: ChainMatrix, cells: CellList): string {
  const { chain, whole, columns, rows, cutColumns } = matrix;
  const all = whole ? [whole] : rows.flatMap((row) => row.cells);
  const open = `<section data-chain="${chain}"${isChanged(all)}><div class="head"><h2>${chain}</h2><span>${CHAINS[chain].apart}</span></div>`;
  if (whole) return `${open}${wholeHtml(whole, cells)}</section>`;
  const cut =
    cutColumns > 0
      ? `<p>${cutColumns} of ${cutColumns + columns.length - 1} destinations that rules name have no column of their own: they are in “everything else”. Ask about a smaller region to see them.</p>`
      : '';
  return `${open}${matrixHtml(matrix)}${cut}</section>`;
}

function tilesHtml({ matrices, rules, changes }: Page): string {
  const cells = matrices.flatMap(({ whole, rows }) =>
    whole ? [whole] : rows.flatMap((r) => r.cells),
  );
  const count = (state: Cell['state']) => cells.filter((cell) => cell.state === state).length;
  const rows = Math.max(0, ...matrices.map((matrix) => matrix.rows.length));
  const tiles: (readonly [number, string])[] = changes
    ? [
        ...CHANGE_KINDS.map(
          (kind) =>
            [
              cells.filter(({ parts }) => parts.some((part) => part.kind === kind)).length,
              `cells ${kind}`,
            ] as const,
        ),
        [
          cells.filter(({ state, change }) => state !== 'void' && !change).length,
          'cells as before',
        ],
      ]
    : [
        [count('accepted'), 'cells accepted'],
        [count('refused'), 'cells refused'],
        [count('mixed'), 'cells mixed'],
        ...(count('open') > 0 ? ([[count('open'), 'cells undecided']] as const) : []),
      ];
  tiles.push([rows, 'rows of groups'], [rules.length, 'deciding rules']);
  return `<ul class="tiles">${tiles.map(([number, words]) => `<li><b>${number.toLocaleString('en')}</b><span>${words}</span></li>`).join('')}</ul>`;
}

function changesHtml({ changes }: Page): string {
  if (!changes || changes.length === 0) return '';
  const rows = changes.map(({ kind, text, call }) => {
    const { className, icons } = CHANGE_SIGNS[kind];
    const tag = `<span class="tag ${className}">${icons.map(icon).join('')}${kind}</span>`;
    return `<tr><td>${tag}</td><td>${escapeHtml(text)}</td><td><code>${escapeHtml(call)}</code></td></tr>`;
  });
  return `<section><h2>What changed</h2><table class="list"><thead><tr><th scope="col">change</th><th scope="col">calls</th><th scope="col">for example</th></tr></thead><tbody>${rows.join('')}</tbody></table></section>`;
}

function rulesHtml({ rules }: Page): string {
  const shown = rules.slice(0, MAX_LISTED_RULES);
  const rows = shown.map(
    ({ where, name, target, text }) =>
      `<tr><td>${escapeHtml(where)}</td><td>${escapeHtml(`${name} · ${target}`)}</td><td><code>${escapeHtml(text)}</code></td></tr>`,
  );
  const cut = rules.length - shown.length;
  const more = cut > 0 ? `<p>${cut} more are named in cells only.</p>` : '';
  return `<section><h2>Rules that decide</h2><table class="list"><thead><tr><th scope="col">place</th><th scope="col">rule</th><th scope="col">text</th></tr></thead><tbody>${rows.join('')}</tbody></table>${more}</section>`;
}

/** Nothing is loaded, and no script or style runs but the page's own. */
const policy = () =>
  `default-src 'none'; script-src ${policyHash(SCRIPT)}; style-src ${policyHash(STYLE)}; base-uri 'none'; form-action 'none'`;

export function renderPage(page: Page): string {
  const cells = new CellList();
  const matrices = page.matrices.map((matrix) => chainHtml(matrix, cells)).join('\n');
  const data = embedJson(pageData(page, cells));
  const isDiff = page.changes !== undefined;
  const isOpen = cells.parts.flat().some(({ kind }) => kind === 'open');
  const states = Object.values(STATE_SIGNS).filter((sign) => isOpen || sign !== STATE_SIGNS.open);
  const signs: readonly Sign[] = isDiff
    ? [
        ...Object.values(CHANGE_SIGNS),
        ...states.map((sign) => ({ ...sign, words: `still ${sign.words}` })),
      ]
    : states;
  const legend = signs.map((sign) => `<li>${signHtml(sign)}</li>`).join('');
  const facts = page.facts.map(
    ([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`,
  );
  const remarks = page.remarks.map((text) => `<li>${escapeHtml(text)}</li>`);
  const cutRows =
    page.cutRows > 0
      ? [`<li>${page.cutRows} groups share one row: there are too many for a row each.</li>`]
      : [];
  const notes = [...remarks, ...cutRows];
  const title = escapeHtml(page.title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title} - sockfilter</title>
<style>${STYLE}</style>
</head>
<body${isDiff ? ' class="diff"' : ''}>
<header>
<h1>${title}</h1>
<dl class="facts">${facts.join('')}</dl>
${tilesHtml(page)}
${notes.length > 0 ? `<ul>${notes.join('')}</ul>` : ''}
</header>
<main>
<div class="bar"><label>groups <input type="search" id="groups" autocomplete="off"></label><label>destinations <input type="search" id="places" autocomplete="off"></label><label><input type="checkbox" id="refused"> without what is refused everywhere</label>${isDiff ? '<label><input type="checkbox" id="changed" checked> only what changed</label>' : ''}<ul class="legend" aria-label="legend">${legend}</ul></div>
<noscript><p>This page draws its tables by a script, which it carries and which loads nothing.</p></noscript>
<p id="nothing" role="status" hidden>Nothing matches the filter.</p>
${changesHtml(page)}
${matrices}
${rulesHtml(page)}
</main>
<div id="panel" tabindex="-1" role="dialog" aria-labelledby="what" hidden><h2 id="what"></h2><button type="button" id="close">close</button><div id="detail"></div></div>
<footer>Every cell is exact: it stands for all calls that can happen, not a sample. A split cell says into how many regions. sockfilter ${escapeHtml(page.version)}</footer>
<script type="application/json" id="data">${data}</script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}
