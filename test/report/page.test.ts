/** What pages say of random small tables, held against all calls that matter to them. */
import { difference, includes, subtract, Universe, union } from '@sockfilter/diagram';
import { Comparison, diffPage, fileWithoutText, queryPage, renderPage } from '@sockfilter/policy';
import { elementAt, evaluator, type Packet, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { CheckContext, chainSet } from '../../packages/policy/src/context.js';
import { toldSets } from '../../packages/policy/src/html/build.js';
import { compareSets } from '../../packages/policy/src/html/cells.js';
import { pageColumns, placesOf } from '../../packages/policy/src/html/columns.js';
import type { Cell, Page } from '../../packages/policy/src/html/model.js';
import { pageRows } from '../../packages/policy/src/html/rows.js';
import { escapeHtml, visible } from '../../packages/policy/src/html/text.js';
import { goesOnAs } from '../arbitrary/decision.js';
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
  const [now, old] = contexts;
  if (!now || !old) throw new Error('two tables');
  const compared = compareSets(old, difference(old.loaded, now.loaded));
  const told = toldSets(now, compared);
  const { rows } = pageRows(universe, all, possible, { preferred: compared.changed, told });
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
    const owner = elementAt(owners, 0).label;
    const row = matrix.rows.find(({ label }) => label === owner);
    if (!row) throw new Error(`no row ${owner}`);
    return elementAt(row.cells, elementAt(places, 0));
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
        const [before, after] = [old(packet), now(packet)];
        const [was, is] = [before.errno, after.errno];
        met.verdicts.add(is === 0);
        if (was === is) {
          if (is === 0 && goesOnAs(before.packet) !== goesOnAs(after.packet))
            met.changes.add('other rewriting');
          continue;
        }
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
  expect(elementAt(page.matrices, 0).rows).toMatchObject([
    { label: 'web (3)', cells: [{ state: 'accepted' }, { state: 'refused' }] },
  ]);
});

function manyGroups(count: number, rule: (n: number) => string) {
  const numbers = Array.from({ length: count }, (_, n) => n);
  const groups = numbers.map((n) => `-G g${n} --id ${1000 + n}`);
  const file = fileOf([...groups, ...numbers.map((n) => `-A BIND ${rule(n)}`)]);
  return queryPage(file, { verdict: 'refuse', region: { chain: ['BIND'] } }, OPTIONS);
}

test('too many groups are cut aloud, and what is cut is still told', () => {
  const page = manyGroups(
    640,
    (n) => `-d 10.0.0.5/32 -m owner --uid-owner ${n} -m cgroup --id ${1000 + n} -j DROP`,
  );
  const matrix = elementAt(page.matrices, 0);
  expect(page.cutRows).toBe(41);
  expect(matrix.rows.length).toBe(602);
  expect(matrix.rows.at(-2)?.cells[0]?.state).toBe('mixed');
  expect(renderPage(page)).toContain('41 groups share one row');
});

test('too many destinations are cut aloud', () => {
  const file = fileOf(Array.from({ length: 80 }, (_, n) => `-A BIND -d 10.0.0.${n} -j DROP`));
  const region = { chain: ['BIND'] };
  const page = queryPage(file, { verdict: 'refuse', region }, OPTIONS);
  const matrix = elementAt(page.matrices, 0);
  expect(matrix.columns.length).toBe(64);
  expect(matrix.cutColumns).toBe(17);
  expect(matrix.rows[0]?.cells.at(-1)?.state).toBe('mixed');
  expect(renderPage(page)).toContain('17 of 80 destinations that rules name have no column');
});

test('groups that differ in no call share a row, which says how many and which', () => {
  const page = manyGroups(500, (n) => `-d 10.0.0.${n % 3}/32 -m cgroup --id ${1000 + n} -j DROP`);
  const matrix = elementAt(page.matrices, 0);
  expect(matrix.rows.map(({ label, names }) => [label, names.length])).toEqual([
    ['web (3), db (4)', 2],
    ['g0 (1000), g3 (1003) and 165 more', 167],
    ['g1 (1001), g4 (1004) and 165 more', 167],
    ['g2 (1002), g5 (1005) and 164 more', 166],
    ['everybody else', 0],
  ]);
  expect(matrix.rows[1]?.cells.map(({ state }) => state)).toEqual([
    'refused',
    'accepted',
    'accepted',
    'accepted',
  ]);
});

test('what opaque tests decide is a state of its own', () => {
  const file = fileOf(['-A BIND -d 10.0.0.5 -m limit --limit 3/second -j DROP']);
  const page = queryPage(file, { verdict: 'accept', region: { chain: ['BIND'] } }, OPTIONS);
  expect(page.matrices[0]?.rows[0]?.cells.map(({ state }) => state)).toEqual(['open', 'accepted']);
  expect(page.facts[0]).toEqual(['Answer', 'all are or may be accepted']);
});

test('what cannot be seen is spelled out', () => {
  expect(visible('a\u202eb\u0007c\td\ud800')).toBe('a\\u{202e}b\\u{7}c d\\u{d800}');
  expect(escapeHtml(`<img src=x onerror='1'>&"`)).toBe(
    '&lt;img src=x onerror=&#39;1&#39;&gt;&amp;&quot;',
  );
  expect(visible('x'.repeat(5000)).length).toBe(2001);
});
