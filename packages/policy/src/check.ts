/** All checks of a rule file. */
import { elementAt } from '@sockfilter/table';
import { findAudited } from './checks/audited.js';
import { findOpenChains, findUnusedChains } from './checks/chains.js';
import { findRefusedChoices } from './checks/chosenports.js';
import { findDodges } from './checks/dodges.js';
import { findUndeclaredIds } from './checks/groups.js';
import { findUnenforceable, type KernelVersion } from './checks/kernels.js';
import { findIdleNegations } from './checks/negations.js';
import { findOtherWays } from './checks/otherways.js';
import { findDoubtfulPaths } from './checks/paths.js';
import { findWidePrefixes } from './checks/prefixes.js';
import { findRemovableRules } from './checks/removable.js';
import { findSharedBuckets } from './checks/sharedbuckets.js';
import { findUnseenUdplite } from './checks/udplite.js';
import { findUnmetRules } from './checks/unmet.js';
import { findUnseenSockets } from './checks/unseen.js';
import { findOpenWildcards } from './checks/wildcards.js';
import { type Check, CheckContext } from './context.js';
import { type Finding, proveFindings, sortFindings } from './finding.js';
import type { RuleFile } from './rulefile.js';
import { applySuppressions, type IgnoredFinding, readSuppressions } from './suppression.js';

const CHECKS: readonly Check[] = [
  findUnmetRules,
  findRemovableRules,
  findUnusedChains,
  findOpenChains,
  findUndeclaredIds,
  findDoubtfulPaths,
  findIdleNegations,
  findWidePrefixes,
  findOpenWildcards,
  findRefusedChoices,
  findOtherWays,
  findUnseenUdplite,
  findUnseenSockets,
  findAudited,
  findDodges,
  findSharedBuckets,
];

export interface CheckOptions {
  /** The oldest kernel that must be able to enforce the file. */
  readonly kernel?: KernelVersion | undefined;
  /** Whether a comment that silences must say why. */
  readonly requireReason?: boolean | undefined;
  /** When it is, for comments that silence until a day. */
  readonly now?: Date | undefined;
  /** Of findings in the same words so many, in the order of lines, have notes and a witness; all if undefined. */
  readonly mostProven?: number | undefined;
}

export interface Checked {
  readonly file: string;
  readonly findings: readonly Finding[];
  /** What comments in the file silenced. */
  readonly ignored: readonly IgnoredFinding[];
}

/** Checks a file whose table is valid. Throws LimitError where that would cost too much. */
export function checkFile(file: RuleFile, options: CheckOptions = {}): Checked {
  const {
    kernel,
    requireReason,
    now = new Date(),
    mostProven = Number.POSITIVE_INFINITY,
  } = options;
  const context = new CheckContext(file);
  const found = [
    ...CHECKS.flatMap((check) => [...check(context)]),
    ...(kernel ? findUnenforceable(context, kernel) : []),
  ];
  const suppressions = readSuppressions(file.comments, { requireReason, now });
  const { findings, ignored } = applySuppressions(file.name, found, suppressions);
  const proven = (some: readonly Finding[]) => proveFindings(some, context.proofOf, mostProven);
  const silenced = proven(ignored.map(({ finding }) => finding));
  return {
    file: file.name,
    findings: proven(sortFindings(findings)),
    ignored: ignored.map((each, at) => ({ ...each, finding: elementAt(silenced, at) })),
  };
}
