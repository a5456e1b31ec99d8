/** What a change of a rule file means for calls. */
import {
  type Box,
  difference,
  isEmpty,
  type LoadedTable,
  type PacketSet,
  Universe,
  witness,
} from '@sockfilter/diagram';
import {
  isUnchanged,
  type Packet,
  type Rewriting,
  rewritingText,
  type Table,
} from '@sockfilter/table';
import { type ListedBox, listBoxes } from './boxlist.js';
import { makeWitness } from './call.js';
import type { Code } from './catalogue.js';
import { verdictText } from './expect.js';
import type { IntendedChange } from './expectation.js';
import { type Finding, type Note, type Place, plainFinding, type Witness } from './finding.js';
import { groupChanges, registerBoth } from './groupchange.js';
import { type ChangedSets, changedSets, compareIntended } from './intended.js';
import { type OptionChange, optionChange } from './optionchange.js';
import { describeRuleChanges } from './rulechanges.js';
import { ownerNote, type RuleFile, sameOwner } from './rulefile.js';
import { Tracer } from './trace.js';

export type ChangeKind = keyof ChangedSets;

export interface ChangedRegion {
  readonly kind: ChangeKind;
  readonly box: Box;
  /** The region in words. */
  readonly text: string;
  readonly witness: Witness;
  /** All that decide its calls in the old file and in the new one; the first of each the witness. */
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
  /** Rules that came, went or changed, a line for each chain; before them the option of the table. */
  readonly rules: readonly string[];
}

export interface ChangeOptions {
  readonly noNewAccess?: boolean;
  readonly intended?: IntendedChange | undefined;
}

const CODES: Readonly<Record<ChangeKind, Code>> = {
  'newly accepted': 'SF200',
  'newly refused': 'SF201',
  'other errno': 'SF202',
  'other test': 'SF211',
  'other rewriting': 'SF213',
};

export const CHANGE_KINDS = [
  'newly accepted',
  'newly refused',
  'other errno',
  'other test',
  'other rewriting',
] as const satisfies readonly ChangeKind[];

/**
 * Whether calls may proceed by it that were refused: where tests are others, nothing says that they don't. A call
 * that goes on as another may reach what it did not.
 */
function mayGiveAccess(kind: ChangeKind): boolean {
  return kind === 'newly accepted' || kind === 'other test' || kind === 'other rewriting';
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
  readonly #sets: ChangedSets;

  /** Both tables must be valid. Throws LimitError where they would cost too much. */
  constructor(before: RuleFile, after: RuleFile) {
    this.#before = before;
    this.#after = after;
    const [first, second] = registerBoth(before.table, after.table);
    this.#tables = { before: first, after: second };
    this.#loaded = {
      before: this.#universe.load(this.#tables.before),
      after: this.#universe.load(this.#tables.after),
    };
    this.#tracers = {
      before: new Tracer(this.#tables.before),
      after: new Tracer(this.#tables.after),
    };
    this.#sets = changedSets(difference(this.#loaded.before, this.#loaded.after));
  }

  get #option(): OptionChange | undefined {
    return optionChange(this.#before.table, this.#after.table);
  }

  get #kinds(): readonly ChangeKind[] {
    return CHANGE_KINDS;
  }

  describe(): Change {
    const groups = groupChanges(this.#before.table.groups, this.#after.table.groups);
    const unlisted: ChangeKind[] = [];
    const regions = this.#kinds.flatMap((kind) => {
      const list = listBoxes(this.#universe, this.#sets[kind], this.#tables.after.groups);
      if (list.tooMany) unlisted.push(kind);
      return list.boxes.map((box) => this.#region(kind, box));
    });
    const option = this.#option?.message;
    const isSame =
      groups.length === 0 &&
      option === undefined &&
      this.#kinds.every((kind) => isEmpty(this.#sets[kind]));
    const rules = [
      ...(option === undefined ? [] : [option]),
      ...describeRuleChanges(this.#before, this.#after),
    ];
    return { isSame, regions, unlisted, groups, rules };
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
    const { decider, errno, rewriting } = this.#tracers[side].decide(packet);
    const others = loaded
      .deciders(set)
      .map((counter) => loaded.ownerOf(counter))
      .filter((owner) => !sameOwner(owner, decider));
    return [
      ownerNote(file, decider, word, `: ${verdictText(errno)}${rewrittenText(rewriting)}`),
      ...others.map((owner) => ownerNote(file, owner, word, ' for others')),
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
    if (intended)
      found.push(
        ...compareIntended(this.#sets, intended, {
          universe: this.#universe,
          file: this.#after.name,
          table: this.#tables.after,
        }),
      );
    else {
      const wanted = (kind: ChangeKind) => !noNewAccess || mayGiveAccess(kind);
      for (const region of change.regions)
        if (wanted(region.kind)) found.push(regionFinding(region));
      for (const kind of change.unlisted)
        if (wanted(kind)) found.push(this.#unlistedFinding(kind, start));
    }
    if (noNewAccess && intended)
      for (const region of change.regions)
        if (mayGiveAccess(region.kind)) found.push(regionFinding(region));
    const option = this.#option;
    if (option && (!intended || option.givesAccess) && (!noNewAccess || option.givesAccess))
      found.push(plainFinding('SF212', start, option.message));
    // Who is in a group decides what a rule for it gives: another path gives it to others.
    if (!intended)
      for (const message of change.groups) found.push(plainFinding('SF203', start, message));
    return found;
  }

  #unlistedFinding(kind: ChangeKind, place: Place): Finding {
    const packet = witness(this.#sets[kind]);
    const shown = packet && makeWitness(packet, this.#tables.after.groups, this.#after.name);
    const message = `${kind}: more regions than can be listed`;
    return { ...plainFinding(CODES[kind], place, message), witness: shown };
  }
}

function rewrittenText(rewriting: Rewriting): string {
  return isUnchanged(rewriting) ? '' : `, with ${rewritingText(rewriting)}`;
}

/** The one that decides the witness, and some others. */
function someOf(word: string, deciders: readonly Note[]): readonly Note[] {
  const more = deciders.length - 1 - MAX_DECIDERS;
  return more > 0
    ? [...deciders.slice(0, 1 + MAX_DECIDERS), { message: `${word}: ${more} more rules` }]
    : deciders;
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
    ...plainFinding(CODES[kind], place, `${kind}: ${text}`),
    notes: [...someOf('before', before), ...someOf('now', after)],
    witness: call,
  };
}
