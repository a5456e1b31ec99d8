/** What pages say of random small tables, held against all calls that matter to them. */
import { includes, subtract, Universe, union } from '@sockfilter/diagram';
import { Comparison, diffPage, fileWithoutText, queryPage, renderPage } from '@sockfilter/policy';
import { evaluator, type Packet, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { CheckContext, chainSet } from '../../packages/policy/src/context.js';
import { pageColumns, placesOf } from '../../packages/policy/src/html/columns.js';
import type { Cell, Page } from '../../packages/policy/src/html/model.js';
import { pageRows } from '../../packages/policy/src/html/rows.js';
import { escapeHtml, visible } from '../../packages/policy/src/html/text.js';
import { smallSpace, smallTables } from '../arbitrary/smalltable.js';
import { propertyRuns } from '../harness/length.js';
import { fileOf } from '../policy/rulefile.js';

const OPTIONS = { version: '0', lineOf: () => undefined };

function pageOf(before: Table, after: Table): Page {
  const [old, now] = [fileWithoutText('old', before), fileWithoutText('new', after)];
  return diffPage(old, now, new Comparison(old, now).describe(), OPTIONS);
}

/** Finds the cell of each packet, by the sets that rows and columns are made of. */
function cellFinder(page: Page, tables: readonly Table[]): (packet: Packet) => Cell {
  const universe = new Universe();
  const { possible } = universe;
  const contexts = tables
    .toReversed()
    .map((table) => new CheckContext(fileWithoutText('x', table), universe));
  const all = contexts.map(({ table }) => table);
  const { rows } = pageRows(universe, all, possible, possible);
  const finders = page.matrices.map((matrix) => {
    const region = chainSet(universe, matrix.chain);
    const asked = { region, preferred: possible, limit: 64 };
    const { columns } = pageColumns(
      universe,
      matrix.chain,
      placesOf(contexts, matrix.chain),
      asked,
    );
    if (columns.reduce((rest, { set }) => subtract(rest, set), region).ref !== universe.empty.ref)
      throw new Error('the columns are not all of the chain');
    return { matrix, columns };
  });
  if (rows.reduce((sum, { set }) => union(sum, set), universe.empty).ref !== possible.ref)
    throw new Error('the rows are not everybody');
  return (packet) => {
    const { matrix, columns } = finders.find((each) => each.matrix.chain === packet.chain) ?? {};
    if (!matrix || !columns) throw new Error(`no chain ${packet.chain}`);
    if (matrix.whole) return matrix.whole;
    const owners = rows.filter(({ set }) => includes(set, packet));
    const places = columns.flatMap(({ set }, at) => (includes(set, packet) ? [at] : []));
    if (owners.length !== 1 || places.length !== 1) throw new Error('a call in several cells');
    const row = matrix.rows.find(({ label }) => label === owners[0].label);
    if (!row) throw new Error(`no row ${owners[0].label}`);
    return row.cells[places[0]];
  };
}

function stateOf(verdicts: ReadonlySet<boolean>): Cell['state'] {
  if (verdicts.size === 2) return 'mixed';
  return verdicts.has(true) ? 'accepted' : 'refused';
}

test('cells are what all of their calls get, and how that differs from before', () => {
  fc.assert(
    fc.property(smallTables, ([before, after]) => {
      const page = pageOf(before, after);
      const find = cellFinder(page, [before, after]);
      const [old, now] = [evaluator(before), evaluator(after)];
      const seen = new Map<Cell, { verdicts: Set<boolean>; changes: Set<string> }>();
      for (const packet of smallSpace(before, after)) {
        const cell = find(packet);
        const met = seen.get(cell) ?? { verdicts: new Set(), changes: new Set() };
        seen.set(cell, met);
        const [was, is] = [old(packet).errno, now(packet).errno];
        met.verdicts.add(is === 0);
        if (was === is) continue;
        met.changes.add(is === 0 ? 'newly accepted' : was === 0 ? 'newly refused' : 'other errno');
      }
      for (const [cell, { verdicts, changes }] of seen) {
        if (cell.state !== stateOf(verdicts)) return false;
        const told = cell.parts.map(({ kind }) => kind);
        if (!told.some((kind) => kind === 'accepted' || kind === 'refused') && told.length !== 1)
          return false;
        const kinds = told.filter((kind) => kind !== 'accepted' && kind !== 'refused');
        if (kinds.toSorted().join() !== [...changes].sort().join()) return false;
      }
      return true;
    }),
    { numRuns: propertyRuns(25) },
  );
});

test('a region bounds the page', () => {
  const file = fileOf(['-P CONNECT DROP', '-A CONNECT -d 10.0.0.0/8 -m cgroup --id 3 -j ACCEPT']);
  const region = { chain: ['CONNECT'], group: ['web'] };
  const page = queryPage(file, { verdict: 'accept', region }, OPTIONS);
  expect(page.matrices.map(({ chain, columns }) => [chain, columns])).toEqual([
    ['CONNECT', ['to 10.0.0.0/8', 'everything else']],
  ]);
  expect(page.matrices[0].rows).toMatchObject([
    { label: 'web (3)', cells: [{ state: 'accepted' }, { state: 'refused' }] },
  ]);
});

test('too many groups and destinations are cut aloud, and what is cut is still told', () => {
  const lines = Array.from({ length: 300 }, (_, n) => [
    `-G g${n} --id ${1000 + n}`,
    `-A BIND -d 10.0.${n >> 8}.${n & 255}/32 -m cgroup --id ${1000 + n} -j DROP`,
  ]).flat();
  const file = fileOf(
    lines.toSorted((a, b) => Number(b.startsWith('-G')) - Number(a.startsWith('-G'))),
  );
  const page = queryPage(file, { verdict: 'refuse', region: { chain: ['BIND'] } }, OPTIONS);
  const [matrix] = page.matrices;
  expect(page.cutRows).toBe(102);
  expect(matrix.rows.length).toBe(202);
  expect(matrix.columns.length + matrix.cutColumns).toBe(301);
  expect(matrix.rows.length * matrix.columns.length).toBeLessThanOrEqual(12_200);
  expect(matrix.rows.at(-2)?.cells.at(-1)?.state).toBe('mixed');
  const html = renderPage(page);
  expect(html).toContain('102 groups share one row');
  expect(html).toContain('of 300 destinations that rules name have no column');
});

test('what cannot be seen is spelled out', () => {
  expect(visible('a\u202eb\u0007c\td\ud800')).toBe('a\\u{202e}b\\u{7}c d\\u{d800}');
  expect(escapeHtml(`<img src=x onerror='1'>&"`)).toBe(
    '&lt;img src=x onerror=&#39;1&#39;&gt;&amp;&quot;',
  );
  expect(visible('x'.repeat(5000)).length).toBe(2001);
});
