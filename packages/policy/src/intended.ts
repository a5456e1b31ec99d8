/** A change held against what it was meant to be. */
import {
  type Difference,
  intersect,
  isEmpty,
  type PacketSet,
  subtract,
  type Universe,
  union,
  witness,
} from '@sockfilter/diagram';
import type { Table } from '@sockfilter/table';
import { listBoxes } from './boxlist.js';
import { makeWitness } from './call.js';
import type { Code } from './catalogue.js';
import type { IntendedChange, Path } from './expectation.js';
import { type Finding, type Place, plainFinding } from './finding.js';
import { compileRegion, type Region, RegionError } from './region.js';

/** What changed, as sets. */
export interface ChangedSets {
  readonly 'newly accepted': PacketSet;
  readonly 'newly refused': PacketSet;
  readonly 'other errno': PacketSet;
  readonly 'other test': PacketSet;
  readonly 'other rewriting': PacketSet;
}

export function changedSets(found: Difference): ChangedSets {
  return {
    'newly accepted': found.newlyAccepted,
    'newly refused': found.newlyRefused,
    'other errno': found.otherErrno,
    'other test': found.otherTest,
    'other rewriting': found.otherRewriting,
  };
}

class Examiner {
  readonly #universe: Universe;
  readonly #file: string;
  readonly #table: Table;
  readonly #intended: IntendedChange;
  readonly #found: Finding[] = [];

  constructor(universe: Universe, file: string, table: Table, intended: IntendedChange) {
    this.#universe = universe;
    this.#file = file;
    this.#table = table;
    this.#intended = intended;
  }

  examine(changed: ChangedSets): readonly Finding[] {
    this.#side('accepted', changed['newly accepted']);
    this.#side('refused', changed['newly refused']);
    const errnos = changed['other errno'];
    if (!isEmpty(errnos)) this.#extra('calls are refused with another errno', errnos);
    const tests = changed['other test'];
    if (!isEmpty(tests)) this.#extra('what opaque tests ask of calls is another', tests);
    const rewritten = changed['other rewriting'];
    if (!isEmpty(rewritten)) this.#extra('calls go on with another destination or mark', rewritten);
    return this.#found;
  }

  #side(word: 'accepted' | 'refused', actual: PacketSet): void {
    let wanted = this.#universe.empty;
    for (const [at, region] of this.#intended[word].entries()) {
      const set = this.#compile(region, [word, at]);
      if (!set) continue;
      wanted = union(wanted, set);
      const missing = subtract(set, actual);
      if (isEmpty(set))
        this.#say('SF102', this.#intended.locate([word, at]), 'no call is in this region', set);
      if (isEmpty(missing)) continue;
      const message = isEmpty(intersect(set, actual))
        ? `none of these calls becomes ${word}`
        : `not all of these calls become ${word}`;
      this.#say('SF205', this.#intended.locate([word, at]), message, missing);
    }
    const extra = subtract(actual, wanted);
    if (!isEmpty(extra)) this.#extra(`calls become ${word} that should not`, extra);
  }

  #compile(region: Region, path: Path): PacketSet | undefined {
    try {
      return compileRegion(this.#universe, region, this.#table);
    } catch (error) {
      if (!(error instanceof RegionError)) throw error;
      const { key, index, message, help } = error;
      const steps = [...path, key, ...(index === undefined ? [] : [index])];
      const place = this.#intended.locate(steps);
      this.#found.push({ ...plainFinding('SF103', place, message), fix: help });
      return undefined;
    }
  }

  #extra(message: string, set: PacketSet): void {
    this.#say('SF204', { file: this.#file, line: 1, column: 1, length: 1 }, message, set);
  }

  #say(code: Code, place: Place, message: string, set: PacketSet): void {
    const { groups } = this.#table;
    const packet = witness(set);
    const { boxes, tooMany } = listBoxes(this.#universe, set, groups);
    const notes = boxes.map(({ text }) => ({ message: text }));
    if (tooMany) notes.push({ message: 'more regions than can be listed' });
    const shown = packet && makeWitness(packet, groups, this.#file);
    this.#found.push({ ...plainFinding(code, place, message), notes, witness: shown });
  }
}

/**
 * What is missing of the intended change, and what else changes.
 * @param file the name of the new file
 * @param table its table
 */
export function compareIntended(
  changed: ChangedSets,
  intended: IntendedChange,
  { universe, file, table }: { universe: Universe; file: string; table: Table },
): readonly Finding[] {
  return new Examiner(universe, file, table, intended).examine(changed);
}
