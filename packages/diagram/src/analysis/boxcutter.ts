/**
 * Cuts a set into boxes, within a care set: outside of it a box may say what it likes, and says as
 * little as it can. Field by field, the values that lead to the same boxes of the other fields are put
 * together. Hence no two boxes agree on all fields but one: they would both be boxes of one rest, and
 * so on down to the last field.
 */
import type { Family, Field, Range } from '@sockfilter/table';
import { LimitError } from '../limit.js';
import { pieceAt } from '../piece.js';
import {
  type Box,
  boxClauses,
  isAddress,
  isNamed,
  type KeyedBox,
  WHOLE_BOX,
  withField,
} from './box.js';
import type { Cared, FieldClass } from './cared.js';
import { splitField } from './fieldsplit.js';
import { IN, OUT, type SetStore } from './setstore.js';
import { rangesOf } from './span.js';

interface CutClass extends FieldClass {
  readonly boxes: readonly KeyedBox[];
}

/** The classes that have a box of the other fields. */
interface BoxGroup {
  readonly rest: KeyedBox;
  readonly classes: Set<CutClass>;
}

/** Ranges of a field for each box, at most: most have few. */
const RANGES_A_BOX = 16;
/** Boxes of parts that may be made on the way: so many, and so many for each box that there may be. */
const BOXES_MADE = [10_000, 5] as const;
/** How many classes of a field are tried for being one class within their care sets. */
const MAX_TRIED = 64;

function sameBoxes(a: readonly KeyedBox[], b: readonly KeyedBox[]): boolean {
  if (a.length !== b.length) return false;
  const keys = new Set(a.map(({ key }) => key));
  return b.every(({ key }) => keys.has(key));
}

export class BoxCutter {
  readonly #store: SetStore;
  readonly #limit: number;
  readonly #known = new Map<string, readonly KeyedBox[]>();
  /** How many boxes more may be made. */
  #spare: number;

  constructor(store: SetStore, limit: number) {
    this.#store = store;
    this.#limit = limit;
    const [some, each] = BOXES_MADE;
    this.#spare = some + each * limit;
  }

  /** @param family where it is known already; boxes of a set that asks it do not name it then */
  cut(cared: Cared, family?: Family): readonly KeyedBox[] {
    const { set, care } = cared;
    if (set === OUT) return [];
    if (set === care) return [WHOLE_BOX];
    const key = `${set} ${care} ${family}`;
    const known = this.#known.get(key);
    if (known) return known;
    const boxes = this.#cutField(cared, this.#nextField(cared, family), family);
    this.#spare -= boxes.length;
    if (boxes.length > this.#limit || this.#spare < 0) throw new LimitError('boxes', this.#limit);
    this.#known.set(key, boxes);
    return boxes;
  }

  #nextField({ set, care }: Cared, family: Family | undefined): Field {
    const { diagrams } = this.#store;
    const { field } = pieceAt(Math.min(diagrams.pieceOf(set), diagrams.pieceOf(care)));
    return isAddress(field) && family === undefined ? 'family' : field;
  }

  #cutField(cared: Cared, field: Field, family: Family | undefined): readonly KeyedBox[] {
    const limit = this.#limit * RANGES_A_BOX;
    const split = splitField(this.#store, cared, field, family, limit).map((each): CutClass => {
      const inside = field === 'family' ? (rangesOf(each.spans)[0]?.[0] === 4n ? 4 : 6) : family;
      return { ...each, boxes: this.cut(each, inside) };
    });
    const classes = field === 'family' ? split : this.#joinClasses(split, family);
    return this.#groupsOf(classes, field).map(({ rest, classes: having }) => {
      const isFree = (each: CutClass) =>
        having.has(each) || this.#isSilent(field, family, rest.box, each);
      if (!isNamed(field, rest) && classes.every(isFree)) return rest;
      return withField(
        rest,
        field,
        [...having].flatMap(({ spans }) => spans),
      );
    });
  }

  /** The boxes of all classes; those with an address by family, since it means another in each. */
  #groupsOf(classes: readonly CutClass[], field: Field): readonly BoxGroup[] {
    const groups = new Map<string, BoxGroup>();
    for (const [at, each] of classes.entries()) {
      for (const rest of each.boxes) {
        const groupKey = isNamed(field, rest) ? `${at} ${rest.key}` : rest.key;
        const group = groups.get(groupKey);
        if (group) group.classes.add(each);
        else groups.set(groupKey, { rest, classes: new Set([each]) });
      }
    }
    return [...groups.values()];
  }

  /**
   * True if no packet of the class can lie in the box, so that the box may seem to hold for it. The
   * chains are named even so: a reader looks for the calls there are.
   */
  #isSilent(field: Field, family: Family | undefined, box: Box, { care }: CutClass): boolean {
    if (field === 'chain') return false;
    const { conditions, intersect } = this.#store;
    const known: readonly Range[] = family ? [[BigInt(family), BigInt(family)]] : [];
    const clauses = boxClauses(family ? { ...box, family: known } : box);
    return intersect(conditions.compile(clauses, IN), care) === OUT;
  }

  /**
   * Joins classes that agree where both care, if that changes the boxes of one of them alone: a port
   * below 1024 need not tell icmp from tcp if all of icmp is in the set.
   */
  #joinClasses(classes: readonly CutClass[], family: Family | undefined): readonly CutClass[] {
    if (classes.length > MAX_TRIED || new Set(classes.map(({ care }) => care)).size < 2)
      return classes;
    const joined: CutClass[] = [];
    for (const each of classes) {
      const other = joined.find((candidate) => this.#mayJoin(candidate, each, family));
      if (other) joined[joined.indexOf(other)] = this.#join(other, each, family);
      else joined.push(each);
    }
    return joined;
  }

  #join(a: CutClass, b: CutClass, family: Family | undefined): CutClass {
    const { union } = this.#store;
    const cared = { set: union(a.set, b.set), care: union(a.care, b.care) };
    return { ...cared, spans: [...a.spans, ...b.spans], boxes: this.cut(cared, family) };
  }

  #mayJoin(a: CutClass, b: CutClass, family: Family | undefined): boolean {
    const { intersect } = this.#store;
    if (a.set === OUT || b.set === OUT || a.care === b.care) return false;
    if (sameBoxes(a.boxes, b.boxes)) return false;
    if (intersect(a.set, b.care) !== intersect(b.set, a.care)) return false;
    const { boxes } = this.#join(a, b, family);
    return sameBoxes(boxes, a.boxes) || sameBoxes(boxes, b.boxes);
  }
}
