/** What a change of a rule file means for calls. */
import {
  type Box,
  difference,
  intersect,
  isEmpty,
  type LoadedTable,
  type PacketSet,
  subtract,
  Universe,
  union,
  witness,
} from '@sockfilter/diagram';
import { type Group, type Packet, registerPaths, type Table } from '@sockfilter/table';
import { type ListedBox, listBoxes } from './boxlist.js';
import { makeWitness } from './call.js';
import { CATALOGUE, type Code } from './catalogue.js';
import { verdictText } from './expect.js';
import type { IntendedChange, Path } from './expectation.js';
import type { Finding, Note, Place, Witness } from './finding.js';
import { compileRegion, type Region, RegionError } from './region.js';
import { ownerNote, type RuleFile, sameOwner } from './rulefile.js';
import { Tracer } from './trace.js';

export type ChangeKind = 'newly accepted' | 'newly refused' | 'other errno';

export interface ChangedRegion {
  readonly kind: ChangeKind;
  readonly box: Box;
  /** The region in words. */
  readonly text: string;
  readonly witness: Witness;
  /** What decides its calls in the old file and in the new one; the first of each the witness. */
  readonly before: readonly Note[];
  readonly after: readonly Note[];
  /** Where the new rule stands that decides. */
  readonly place: Place;
}

export interface Change {
  /** No call gets another verdict, and every group has its id and path. */
  readonly isSame: boolean;
  readonly regions: readonly ChangedRegion[];
  /** Kinds whose regions are too many to list. */
  readonly unlisted: readonly ChangeKind[];
  /** Groups that came, went or have another id or path, in words. */
  readonly groups: readonly string[];
}

export interface ChangeOptions {
  readonly noNewAccess?: boolean;
  readonly intended?: IntendedChange | undefined;
}

const CODES: Readonly<Record<ChangeKind, Code>> = {
  'newly accepted': 'SF200',
  'newly refused': 'SF201',
  'other errno': 'SF202',
};

function groupChanges(before: readonly Group[], after: readonly Group[]): readonly string[] {
  const say = ({ id, path }: Group) =>
    `id ${id}, ${path === undefined ? 'no path' : `path ${path}`}`;
  const names = new Set([...before, ...after].map(({ name }) => name));
  return [...names].flatMap((name) => {
    const [old, now] = [before, after].map((groups) => groups.find((each) => each.name === name));
    if (!old) return now ? [`group \`${name}\` is new: ${say(now)}`] : [];
    if (!now) return [`group \`${name}\` is gone: ${say(old)}`];
    return say(old) === say(now) ? [] : [`group \`${name}\`: ${say(old)}; now ${say(now)}`];
  });
}

/** How many rules are named beside the one that decides the witness. */
const MAX_DECIDERS = 4;

interface Sides<T> {
  readonly before: T;
  readonly after: T;
}

/** Two files in one universe. */
export class Comparison {
  readonly #before: RuleFile;
  readonly #after: RuleFile;
  readonly #universe = new Universe();
  readonly #tables: Sides<Table>;
  readonly #loaded: Sides<LoadedTable>;
  readonly #tracers: Sides<Tracer>;
  readonly #sets: Readonly<Record<ChangeKind, PacketSet>>;

  /** Both tables must be valid. Throws LimitError where they would cost too much. */
  constructor(before: RuleFile, after: RuleFile) {
    this.#before = before;
    this.#after = after;
    this.#tables = {
      before: registerPaths(before.table, 0),
      after: registerPaths(after.table, 0),
    };
    this.#loaded = {
      before: this.#universe.load(this.#tables.before),
      after: this.#universe.load(this.#tables.after),
    };
    this.#tracers = {
      before: new Tracer(this.#tables.before),
      after: new Tracer(this.#tables.after),
    };
    const found = difference(this.#loaded.before, this.#loaded.after);
    this.#sets = {
      'newly accepted': found.newlyAccepted,
      'newly refused': found.newlyRefused,
      'other errno': found.otherErrno,
    };
  }

  get #kinds(): readonly ChangeKind[] {
    return ['newly accepted', 'newly refused', 'other errno'];
  }

  describe(): Change {
    const groups = groupChanges(this.#tables.before.groups, this.#tables.after.groups);
    const unlisted: ChangeKind[] = [];
    const regions = this.#kinds.flatMap((kind) => {
      const list = listBoxes(this.#universe, this.#sets[kind], this.#tables.after.groups);
      if (list.tooMany) unlisted.push(kind);
      return list.boxes.map((box) => this.#region(kind, box));
    });
    const isSame = groups.length === 0 && this.#kinds.every((kind) => isEmpty(this.#sets[kind]));
    return { isSame, regions, unlisted, groups };
  }

  #region(kind: ChangeKind, { box, text, packet, set }: ListedBox): ChangedRegion {
    const { decider } = this.#tracers.after.decide(packet);
    return {
      kind,
      box,
      text,
      witness: makeWitness(packet, this.#tables.after.groups, this.#after.name),
      before: this.#deciders('before', packet, set),
      after: this.#deciders('after', packet, set),
      place: this.#after.placeOf(decider.rule ?? decider.chain),
    };
  }

  #deciders(side: 'before' | 'after', packet: Packet, set: PacketSet): readonly Note[] {
    const file = side === 'before' ? this.#before : this.#after;
    const word = side === 'before' ? 'before: ' : 'now: ';
    const loaded = this.#loaded[side];
    const { decider, errno } = this.#tracers[side].decide(packet);
    const others = loaded
      .deciders(set)
      .map((counter) => loaded.owners[counter])
      .filter((owner) => !sameOwner(owner, decider));
    const more = others.length - MAX_DECIDERS;
    return [
      ownerNote(file, decider, word, `: ${verdictText(errno)}`),
      ...others.slice(0, MAX_DECIDERS).map((owner) => ownerNote(file, owner, word, ' for others')),
      ...(more > 0 ? [{ message: `${word}${more} more rules` }] : []),
    ];
  }

  /**
   * What is wrong with the change: everything, without options; new access alone with `noNewAccess`;
   * what is missing and what was not intended, with `intended`.
   */
  findings(
    change: Change,
    { noNewAccess = false, intended }: ChangeOptions = {},
  ): readonly Finding[] {
    const start: Place = { file: this.#after.name, line: 1, column: 1, length: 1 };
    const found: Finding[] = [];
    if (intended) found.push(...this.#againstIntended(intended));
    else {
      const wanted = (kind: ChangeKind) => !noNewAccess || kind === 'newly accepted';
      for (const region of change.regions)
        if (wanted(region.kind)) found.push(regionFinding(region));
      for (const kind of change.unlisted)
        if (wanted(kind)) found.push(this.#unlistedFinding(kind, start));
    }
    if (noNewAccess && intended)
      for (const region of change.regions)
        if (region.kind === 'newly accepted') found.push(regionFinding(region));
    if (!noNewAccess && !intended)
      for (const message of change.groups) found.push(plain('SF203', start, message));
    return found;
  }

  #unlistedFinding(kind: ChangeKind, place: Place): Finding {
    const packet = witness(this.#sets[kind]);
    const shown = packet && makeWitness(packet, this.#tables.after.groups, this.#after.name);
    const message = `${kind}: more regions than can be listed`;
    return { ...plain(CODES[kind], place, message), witness: shown };
  }

  #againstIntended(intended: IntendedChange): readonly Finding[] {
    const start: Place = { file: this.#after.name, line: 1, column: 1, length: 1 };
    const found: Finding[] = [];
    const sides = [
      ['accepted', intended.accepted, this.#sets['newly accepted']],
      ['refused', intended.refused, this.#sets['newly refused']],
    ] as const;
    for (const [word, regions, actual] of sides) {
      let wanted = this.#universe.empty;
      for (const [at, region] of regions.entries()) {
        const set = this.#compile(region, [word, at], intended, found);
        if (!set) continue;
        wanted = union(wanted, set);
        const missing = subtract(set, actual);
        if (isEmpty(missing)) continue;
        const message = isEmpty(intersect(set, actual))
          ? `none of these calls becomes ${word}`
          : `not all of these calls become ${word}`;
        found.push(this.#setFinding('SF205', intended.locate([word, at]), message, missing));
      }
      const extra = subtract(actual, wanted);
      if (!isEmpty(extra))
        found.push(this.#setFinding('SF204', start, `calls become ${word} that should not`, extra));
    }
    const errnos = this.#sets['other errno'];
    if (!isEmpty(errnos))
      found.push(this.#setFinding('SF204', start, 'calls are refused with another errno', errnos));
    return found;
  }

  #compile(
    region: Region,
    path: Path,
    intended: IntendedChange,
    found: Finding[],
  ): PacketSet | undefined {
    try {
      return compileRegion(this.#universe, region, this.#tables.after);
    } catch (error) {
      if (!(error instanceof RegionError)) throw error;
      const { key, index, message, help } = error;
      const place = intended.locate([...path, key, ...(index === undefined ? [] : [index])]);
      found.push({ ...plain('SF103', place, message), fix: help });
      return undefined;
    }
  }

  #setFinding(code: Code, place: Place, message: string, set: PacketSet): Finding {
    const { groups } = this.#tables.after;
    const packet = witness(set);
    const list = listBoxes(this.#universe, set, groups);
    const notes = list.boxes.map(({ text }) => ({ message: text }));
    const shown = packet && makeWitness(packet, groups, this.#after.name);
    return { ...plain(code, place, message), notes, witness: shown };
  }
}

function plain(code: Code, place: Place, message: string): Finding {
  return { code, severity: CATALOGUE[code].severity, place, message, notes: [] };
}

function regionFinding({
  kind,
  text,
  witness: call,
  before,
  after,
  place,
}: ChangedRegion): Finding {
  return {
    ...plain(CODES[kind], place, `${kind}: ${text}`),
    notes: [...before, ...after],
    witness: call,
  };
}
