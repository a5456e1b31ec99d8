/** Makes the page of a rule file, or of a change. */
import {
  difference,
  equals,
  intersect,
  isEmpty,
  type PacketSet,
  Universe,
} from '@sockfilter/diagram';
import { BUILTIN_CHAINS, type BuiltinChain, elementAt } from '@sockfilter/table';
import type { Change } from '../change.js';
import { CheckContext, chainSet } from '../context.js';
import type { Verdict } from '../expectation.js';
import { compileRegion, type Region, regionText } from '../region.js';
import type { RuleFile } from '../rulefile.js';
import { CellMaker, type Compared, compareSets } from './cells.js';
import { type Places, pageColumns, placesOf } from './columns.js';
import type { Cell, ChainMatrix, Page } from './model.js';
import { pageRows, type Row, type Rows } from './rows.js';
import { type LineOf, RuleList } from './rulelist.js';

export interface PageOptions {
  readonly version: string;
  readonly lineOf: LineOf;
}

/** What a browser bears: cells of all chains together, and columns of one. */
const MAX_CELLS = 12_000;
const MAX_COLUMNS = 64;
const MIN_COLUMNS = 6;
/** Lines of the list of changes. */
const MAX_CHANGES = 100;

/** The most columns with which the page stays within its bound. */
function columnLimit(rows: number, places: readonly Places[]): number {
  let limit = MAX_COLUMNS;
  const cells = () => places.reduce((sum, { size }) => sum + rows * Math.min(size + 1, limit), 0);
  while (limit > MIN_COLUMNS && cells() > MAX_CELLS) limit--;
  return limit;
}

/** Sets of calls that a page tells apart. @internal */
export function toldSets(
  { accepted, refused }: CheckContext,
  compared?: Compared,
): readonly PacketSet[] {
  return [accepted, refused, ...(compared ? Object.values(compared.sets) : [])];
}

class PageMaker {
  readonly #context: CheckContext;
  readonly #compared: Compared | undefined;
  readonly #region: PacketSet;
  readonly #rules: RuleList;
  readonly #cells: CellMaker;
  readonly #rows: Rows;

  constructor(
    context: CheckContext,
    compared: Compared | undefined,
    region: PacketSet,
    lineOf: LineOf,
  ) {
    this.#context = context;
    this.#compared = compared;
    this.#region = region;
    this.#rules = new RuleList(lineOf);
    this.#cells = new CellMaker(context, compared, this.#rules);
    const tables = this.#contexts.map(({ table }) => table);
    this.#rows = pageRows(context.universe, tables, region, {
      preferred: this.#preferred,
      told: toldSets(context, compared),
    });
  }

  get #contexts(): readonly CheckContext[] {
    return this.#compared ? [this.#context, this.#compared.before] : [this.#context];
  }

  get #preferred(): PacketSet {
    return this.#compared?.changed ?? this.#region;
  }

  make(): Pick<Page, 'matrices' | 'rules' | 'cutRows'> {
    const chains = BUILTIN_CHAINS.map((chain) => ({
      chain,
      region: intersect(this.#region, chainSet(this.#context.universe, chain)),
    })).filter(({ region }) => !isEmpty(region));
    const places = chains.map(({ chain }) => placesOf(this.#contexts, chain));
    const limit = columnLimit(this.#rows.rows.length, places);
    const matrices = chains.map(({ chain, region }, at) =>
      this.#matrix(chain, region, elementAt(places, at), limit),
    );
    return { matrices, rules: this.#rules.rules, cutRows: this.#rows.cut };
  }

  #matrix(chain: BuiltinChain, region: PacketSet, places: Places, limit: number): ChainMatrix {
    const { universe } = this.#context;
    const whole = this.#uniform(chain, region);
    if (whole) return { chain, columns: [], rows: [], cutColumns: 0, whole };
    const preferred = this.#preferred;
    const { columns, cut } = pageColumns(universe, chain, places, { region, preferred, limit });
    const row = ({ label, names, set }: Row) => {
      const calls = intersect(set, region);
      const cells = columns.map((column) => this.#cells.make(chain, intersect(calls, column.set)));
      return { label, names, cells };
    };
    return {
      chain,
      columns: columns.map(({ label }) => label),
      rows: this.#rows.rows.map(row).filter(({ cells }) => cells.some(isReal)),
      cutColumns: cut,
    };
  }

  /** The cell of all calls of the chain where one rule decides all of them, and did before. */
  #uniform(chain: BuiltinChain, region: PacketSet): Cell | undefined {
    const isOne = ({ loaded }: CheckContext) => loaded.deciders(region).length === 1;
    if (!this.#contexts.every(isOne)) return undefined;
    return this.#cells.make(chain, region);
  }
}

const isReal = ({ state }: Cell) => state !== 'void';

/** The page of `query`. Throws RegionError for a region that cannot be understood. */
export function queryPage(
  file: RuleFile,
  { verdict, region }: { readonly verdict: Verdict; readonly region: Region },
  { version, lineOf }: PageOptions,
): Page {
  const context = new CheckContext(file);
  const asked = compileRegion(context.universe, region, context.table);
  const answer = intersect(asked, verdict === 'accept' ? context.accepted : context.refused);
  const other = verdict === 'accept' ? context.refused : context.accepted;
  const isOpen = !isEmpty(intersect(answer, other));
  const said = `${isOpen ? 'or may be ' : ''}${verdict === 'accept' ? 'accepted' : 'refused'}`;
  const extent = isEmpty(asked)
    ? 'no such call can happen'
    : isEmpty(answer)
      ? `none is ${said}`
      : equals(answer, asked)
        ? `all are ${said}`
        : `some are ${said}`;
  return {
    title: `Which calls are ${verdict === 'accept' ? 'accepted' : 'refused'}`,
    version,
    facts: [
      ['Answer', extent],
      ['Rules', file.name],
      ['Asked about', regionText(region)],
    ],
    remarks: [],
    ...new PageMaker(context, undefined, asked, lineOf).make(),
  };
}

/** The page of `diff`; the change must be the one between the files. */
export function diffPage(
  before: RuleFile,
  after: RuleFile,
  change: Change,
  { version, lineOf }: PageOptions,
): Page {
  const universe = new Universe();
  const context = new CheckContext(after, universe);
  const old = new CheckContext(before, universe);
  const compared = compareSets(old, difference(old.loaded, context.loaded));
  const cut = change.regions.length - MAX_CHANGES;
  return {
    title: 'What the change means for calls',
    version,
    facts: [
      ['Answer', change.isSame ? 'the files mean the same' : 'the files do not mean the same'],
      ['Old', before.name],
      ['New', after.name],
    ],
    changes: change.regions
      .slice(0, MAX_CHANGES)
      .map(({ kind, text, witness }) => ({ kind, text, call: witness.call })),
    remarks: [
      ...change.groups,
      ...change.unlisted.map((kind) => `${kind}: more regions than can be listed`),
      ...(cut > 0 ? [`${cut} more regions changed; the text of \`sockfilter diff\` has them`] : []),
    ],
    ...new PageMaker(context, compared, universe.possible, lineOf).make(),
  };
}
