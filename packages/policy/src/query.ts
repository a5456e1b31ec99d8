/** Which calls of a region are accepted or refused, or may be: as regions, or as a matrix. */
import {
  boxes,
  equals,
  intersect,
  isEmpty,
  type LoadedTable,
  type PacketSet,
  project,
  subtract,
} from '@sockfilter/diagram';
import {
  type Circumstances,
  type Field,
  type Group,
  type Packet,
  rewritingText,
} from '@sockfilter/table';
import { type ListedBox, listBoxes } from './boxlist.js';
import { CheckContext } from './context.js';
import { describeBox } from './describe.js';
import type { Verdict } from './expectation.js';
import type { Witness } from './finding.js';
import { compileRegion, type Region } from './region.js';
import type { RuleFile } from './rulefile.js';

export type CellValue = 'all' | 'some' | 'none' | 'no call';

export interface MatrixRow {
  readonly label: string;
  /** One for each column: how many of the calls get the verdict. */
  readonly cells: readonly CellValue[];
}

export interface Matrix {
  /** Destinations and ports, in words; together all of the region. */
  readonly columns: readonly string[];
  readonly rows: readonly MatrixRow[];
  /** True where there were too many columns and some stand for several. */
  readonly isCoarse: boolean;
}

interface Column {
  readonly label: string;
  readonly set: PacketSet;
}

const MAX_COLUMNS = 48;
/** Regions of a column that are named. */
const MAX_NAMED = 3;

const DESTINATION: readonly Field[] = [
  'chain',
  'family',
  'protocol',
  'destination',
  'destinationPort',
];

/** A region of the answer, and in words what its calls go on with if rules rewrite them. */
interface AnsweredRegion extends ListedBox {
  readonly becomes: string | undefined;
}

interface AnsweredRegions {
  readonly boxes: readonly AnsweredRegion[];
  readonly tooMany: boolean;
}

export class Query {
  readonly #context: CheckContext;
  readonly #verdict: Verdict;
  readonly #loaded: LoadedTable;
  readonly #region: PacketSet;
  readonly #answer: PacketSet;

  /** Throws RegionError for a region that cannot be understood. */
  constructor(file: RuleFile, verdict: Verdict, region: Region, circumstances: Circumstances = {}) {
    this.#context = new CheckContext(file);
    const { table, universe } = this.#context;
    this.#region = compileRegion(universe, region, table);
    this.#verdict = verdict;
    this.#loaded = this.#context.loadedIn(circumstances);
    const { mayAccept, mayRefuse } = this.#loaded;
    const all = verdict === 'accept' ? mayAccept : mayRefuse;
    this.#answer = intersect(this.#region, all);
  }

  /** True where the region holds no call at all. */
  get isVoid(): boolean {
    return isEmpty(this.#region);
  }

  /** The packet as a call in words, and how to see what decides it. */
  witness(packet: Packet): Witness {
    return this.#context.witness(packet);
  }

  /** Calls that go on rewritten are regions of their own. */
  regions(): AnsweredRegions {
    const { universe, table } = this.#context;
    let tooMany = false;
    const list = (set: PacketSet, becomes: string | undefined): readonly AnsweredRegion[] => {
      const found = listBoxes(universe, intersect(this.#answer, set), table.groups);
      tooMany ||= found.tooMany;
      return found.boxes.map((region) => ({ ...region, becomes }));
    };
    const rewritten = this.#verdict === 'accept' ? this.#loaded.rewritten() : [];
    const others = rewritten.reduce((rest, { set }) => subtract(rest, set), universe.possible);
    const boxes = [
      ...list(others, undefined),
      ...rewritten.flatMap(({ rewriting, set }) => list(set, rewritingText(rewriting))),
    ];
    return { boxes, tooMany };
  }

  /** Groups by destinations; whoever is in no declared group is one row. */
  matrix(): Matrix {
    const rows = this.#rows();
    const { atoms, isCoarse } = this.#atoms(rows.map(({ set }) => set));
    const columns = this.#columns(atoms);
    const cell = (row: PacketSet, column: PacketSet): CellValue => {
      const calls = intersect(intersect(row, column), this.#region);
      if (isEmpty(calls)) return 'no call';
      const hits = intersect(calls, this.#answer);
      return isEmpty(hits) ? 'none' : equals(hits, calls) ? 'all' : 'some';
    };
    return {
      columns: columns.map(({ label }) => label),
      rows: rows.map(({ label, set }) => ({
        label,
        cells: columns.map((column) => cell(set, column.set)),
      })),
      isCoarse,
    };
  }

  /** The regions of the atoms, one by one as far as that is not too many; what no row has is one. */
  #columns(atoms: readonly PacketSet[]): readonly Column[] {
    const { table, universe } = this.#context;
    const { groups } = table;
    const answered = project(this.#answer, DESTINATION);
    const listed = atoms.map((atom) => {
      const isIdle = isEmpty(intersect(atom, answered));
      return { atom, isIdle, found: isIdle ? [] : boxes(atom) };
    });
    const total = listed.reduce((sum, { found }) => sum + found.length, 0);
    return listed.flatMap(({ atom, isIdle, found }): readonly Column[] => {
      if (isIdle) return [{ label: 'everything else', set: atom }];
      if (total <= MAX_COLUMNS)
        return found.map((box) => ({
          label: describeBox(box, { groups }),
          set: intersect(atom, universe.box(box)),
        }));
      const texts = found.map((box) => describeBox(box, { groups }));
      const more = texts.length > MAX_NAMED ? ` and ${texts.length - MAX_NAMED} more` : '';
      return [{ label: `${texts.slice(0, MAX_NAMED).join('; ')}${more}`, set: atom }];
    });
  }

  #rows(): readonly { readonly label: string; readonly set: PacketSet }[] {
    const { table, universe } = this.#context;
    const only = ({ id }: Group) => universe.box({ group: [[BigInt(id), BigInt(id)]] });
    const declared = table.groups.map((group) => ({
      label: `${group.name} (${group.id})`,
      set: only(group),
    }));
    const others = declared.reduce((rest, { set }) => subtract(rest, set), universe.possible);
    return [...declared, { label: 'others', set: others }].filter(
      ({ set }) => !isEmpty(intersect(set, this.#region)),
    );
  }

  /** The coarsest parts of the region's destinations that every row treats as one. */
  #atoms(rows: readonly PacketSet[]) {
    const whole = project(this.#region, DESTINATION);
    let atoms: readonly PacketSet[] = isEmpty(whole) ? [] : [whole];
    let isCoarse = false;
    const seen: PacketSet[] = [];
    for (const row of rows) {
      const hit = project(intersect(row, this.#answer), DESTINATION);
      if (seen.some((other) => equals(other, hit))) continue;
      seen.push(hit);
      const split = atoms
        .flatMap((atom) => [intersect(atom, hit), subtract(atom, hit)])
        .filter((part) => !isEmpty(part));
      if (split.length <= MAX_COLUMNS) atoms = split;
      else isCoarse = true;
    }
    return { atoms, isCoarse };
  }
}
