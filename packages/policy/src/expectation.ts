/**
 * What a team expects of a rule file. Cases are single calls, invariants hold for all calls of a
 * region. Verdicts are `accept` and `refuse`; `drop` is another word for the latter, and means any
 * refusal, whatever its errno.
 */
import type { Circumstances, RejectErrno } from '@sockfilter/table';
import type { Place } from './finding.js';
import type { Region } from './region.js';

export type Verdict = 'accept' | 'refuse';

/** Steps from the top of a YAML file to a value in it. */
export type Path = readonly (string | number)[];

interface Expected {
  /** What it is called in reports. */
  readonly name: string;
  readonly path: Path;
  /** What is known of the moment at which calls come. */
  readonly circumstances: Circumstances;
}

export interface CaseExpectation extends Expected {
  readonly kind: 'case';
  /** Every field has one value. */
  readonly call: Region;
  readonly verdict: Verdict;
  readonly errno: RejectErrno | undefined;
  /** The comment of the rule that must decide, or `policy`. */
  readonly by: string | undefined;
  /** Where the call must go on to: one of these, as `readDestinations()` reads them. */
  readonly destination: string | undefined;
  /** The mark that it must go on with. */
  readonly mark: number | undefined;
}

/** No call, or every call, of the regions together gets the verdict. */
export interface RegionExpectation extends Expected {
  readonly kind: 'never' | 'always';
  readonly verdict: Verdict;
  readonly regions: readonly Region[];
}

/** Of the calls in `regions`, none outside `accept` is accepted. */
export interface OnlyExpectation extends Expected {
  readonly kind: 'only';
  readonly regions: readonly Region[];
  readonly accept: readonly Region[];
}

export type Expectation = CaseExpectation | RegionExpectation | OnlyExpectation;

export interface ExpectationFile {
  readonly name: string;
  readonly expectations: readonly Expectation[];
  /** The place of a value, or of the nearest one around it that is there. */
  readonly locate: (path: Path) => Place;
}

/** What a change is meant to do, no more and no less. */
export interface IntendedChange {
  readonly name: string;
  readonly accepted: readonly Region[];
  readonly refused: readonly Region[];
  readonly locate: (path: Path) => Place;
}
