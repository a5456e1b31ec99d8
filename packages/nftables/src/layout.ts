/**
 * Which tests of a rule stand in one match. By itself a match goes on as long as its tests follow each
 * other; where a rule has it otherwise, the rule says so beside its `expr`. It never changes what a rule
 * means, and so nft may pass over it.
 */
import type { MatchName } from '@sockfilter/table';

/** A match of a rule: how many of the rule's tests are its own, or the text of a comment. */
export interface LaidMatch {
  readonly match: MatchName;
  readonly tests: number;
  readonly comment?: string | undefined;
}

/** A test, in the order of the rule. */
export interface PlacedTest {
  readonly match: MatchName;
  readonly option: string;
}

/** How a reader groups tests that nothing is said of: `ip` first, and comments last. */
export function usualLayout(
  tests: readonly PlacedTest[],
  comment: string | undefined,
): readonly LaidMatch[] {
  const laid: { match: MatchName; tests: number; options: Set<string> }[] = [];
  for (const { match, option } of tests) {
    const last = laid.at(-1);
    if (last?.match === match && !last.options.has(option)) {
      last.tests++;
      last.options.add(option);
    } else laid.push({ match, tests: 1, options: new Set([option]) });
  }
  return [
    ...laid.map(({ match, tests: count }) => ({ match, tests: count })),
    ...(comment === undefined ? [] : [{ match: 'comment' as const, tests: 0, comment }]),
  ];
}

export function sameLayout(a: readonly LaidMatch[], b: readonly LaidMatch[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      ({ match, tests, comment }, at) =>
        b[at]?.match === match && b[at].tests === tests && b[at].comment === comment,
    )
  );
}
