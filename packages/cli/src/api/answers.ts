/** What can be asked of rules: exact, about every call there can be. */
import {
  type ChangeKind,
  Comparison,
  checkFile,
  type Finding,
  type Matrix,
  mistakeFinding,
  parseKernelVersion,
  Query,
  type Region as ReadRegion,
  type RegionKey,
  regionOfBox,
  type Witness,
} from '@sockfilter/policy';
import type { Circumstances } from '@sockfilter/table';
import { type Explanation, explainIn } from '../explain.js';
import { CommandError } from '../failure.js';
import type { PacketWords } from '../packet.js';
import { type Rules, requireFile } from './rules.js';

/**
 * A set of calls: for each key the values of which one must hold, and with `!` those that must not. What it does not
 * name may be anything. The keys and values are those of `sockfilter query`.
 */
export type Region = Readonly<Partial<Record<RegionKey, string | readonly string[]>>>;

/** What is taken to hold of the moment at which calls come, for rules that ask more than the call says. */
export type Moment = Circumstances;

export interface CheckOptions {
  /** The oldest kernel that must be able to enforce the rules: `6.1`. */
  readonly kernel?: string;
}

/**
 * What `sockfilter check` finds: mistakes, rules that never matter, doors that were left open. Throws SockfilterError
 * for a kernel that is none, and an error named LimitError where the answer would cost too much.
 */
export function check(rules: Rules, { kernel }: CheckOptions = {}): readonly Finding[] {
  const version = kernel === undefined ? undefined : parseKernelVersion(kernel);
  if (kernel !== undefined && !version)
    throw new CommandError(`\`${kernel}\` is no kernel version`, 2, 'for example `6.1`');
  if (rules.diagnostics.length > 0) return rules.diagnostics.map(mistakeFinding);
  return checkFile(requireFile(rules), { kernel: version }).findings;
}

/** Calls that a change gives another verdict. */
export interface ChangedRegion {
  readonly kind: ChangeKind;
  readonly region: Region;
  /** The region in words. */
  readonly text: string;
  /** One call of it. */
  readonly witness: Witness;
}

export interface Difference {
  /** No call gets another verdict, and every group keeps its id and path. */
  readonly isSame: boolean;
  /** All of the change, and nothing twice. */
  readonly regions: readonly ChangedRegion[];
  /** Kinds of change with more regions than can be listed. */
  readonly unlisted: readonly ChangeKind[];
  /** Groups that came, went or have another id or path, in words. */
  readonly groups: readonly string[];
  /** Rules that came, went or changed, a line for each chain. */
  readonly rules: readonly string[];
}

/** What a change of the rules means for calls. Throws DiagnosticsError, and an error named LimitError. */
export function diff(before: Rules, after: Rules): Difference {
  const comparison = new Comparison(requireFile(before), requireFile(after));
  const { isSame, regions, unlisted, groups, rules } = comparison.describe();
  return {
    isSame,
    regions: regions.map(({ kind, box, text, witness }) => ({
      kind,
      region: regionOfBox(box),
      text,
      witness,
    })),
    unlisted,
    groups,
    rules,
  };
}

/** Calls of a region that get the verdict. */
export interface AnsweredRegion {
  readonly region: Region;
  /** The region in words. */
  readonly text: string;
  /** What its calls go on with, if rules change them: `mark 0x1`. */
  readonly becomes?: string;
  /** One call of it. */
  readonly witness: Witness;
}

export interface Answer {
  /** All calls of the region that get the verdict, and nothing twice; empty where there are too many regions to list. */
  readonly regions: readonly AnsweredRegion[];
  readonly tooMany: boolean;
  /** The same as a table: groups by destinations. */
  readonly matrix: Matrix;
}

function readRegion(region: Region): ReadRegion {
  const entries = Object.entries(region).map(([key, values]) => [
    key,
    typeof values === 'string' ? [values] : values,
  ]);
  return Object.fromEntries(entries);
}

/**
 * Which calls of a region are accepted or refused. Throws DiagnosticsError, an error named RegionError for a region
 * that can't be understood, and one named LimitError.
 */
export function query(
  rules: Rules,
  verdict: 'accept' | 'refuse',
  region: Region = {},
  moment: Moment = {},
): Answer {
  const asked = new Query(requireFile(rules), verdict, readRegion(region), moment);
  const { boxes, tooMany } = asked.regions();
  return {
    regions: boxes.map(({ box, text, packet, becomes }) => ({
      region: regionOfBox(box),
      text,
      ...(becomes !== undefined && { becomes }),
      witness: asked.witness(packet),
    })),
    tooMany,
    matrix: asked.matrix(),
  };
}

/** What becomes of one call, and which rule decides. Throws DiagnosticsError and SockfilterError. */
export function explain(rules: Rules, call: PacketWords, moment: Moment = {}): Explanation {
  return explainIn(requireFile(rules).table, call, moment);
}
