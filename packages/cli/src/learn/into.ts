/** `learn --into FILE`: what a rule file lacks so that it accepts what was seen, as a patch with what it means for calls. */
import { type LearnOptions, type SeenCall, withTwins } from '@sockfilter/interop';
import { EXIT } from '@sockfilter/language';
import { Comparison, fileWithoutText } from '@sockfilter/policy';
import {
  type Group,
  groupLabel,
  printEndpoint,
  registerPaths,
  requireValid,
} from '@sockfilter/table';
import { replaceFile, resolveFile } from '../atomicfile.js';
import { CommandError } from '../failure.js';
import { withFileLock } from '../filelock.js';
import type { Globals } from '../globals.js';
import { readInput } from '../inputfile.js';
import { editRules } from '../notation.js';
import { note, print } from '../output.js';
import { extend, type Left } from './extend.js';
import { additionPatch } from './patch.js';
import { allows, type RuleText } from './ruletext.js';

export interface Base extends RuleText {
  readonly path: string;
  /** Whether the file is to be changed. */
  readonly write: boolean;
}

const MOST_CALLS_SHOWN = 3;

/** Calls that have no rule, by the reason: whoever reads it writes what they need. */
function tellLeft(left: readonly Left[], groups: readonly Group[]): void {
  for (const reason of new Set(left.map((each) => each.reason))) {
    const words = left
      .filter((each) => each.reason === reason)
      .map(({ packet: { chain, group, family, destination, destinationPort } }) => {
        const endpoint = printEndpoint(family, destination, destinationPort);
        return `${chain} of ${groupLabel(groups, group)} to ${endpoint}`;
      });
    const shown = words.slice(0, MOST_CALLS_SHOWN).join(', ');
    const more = words.length - MOST_CALLS_SHOWN;
    note(
      `left out, as ${reason}: ${shown}${more > 0 ? ` and ${more} more` : ''}; write by hand what they need`,
    );
  }
}

export function learnInto(
  globals: Globals,
  { path, table, document, write }: Base,
  seen: readonly SeenCall[],
  options: LearnOptions,
): void {
  const isKnown = allows(table);
  const calls = withTwins(seen).filter(({ packet }) => !isKnown(packet));
  if (calls.length === 0) {
    note(seen.length > 0 ? `\`${path}\` accepts all that was seen` : 'nothing was seen');
    return;
  }
  const { table: extended, left } = extend(table, calls, options);
  tellLeft(left, table.groups);
  if (left.length > 0) process.exitCode = EXIT.unfit;
  if (left.length === calls.length) return;
  const grown = registerPaths(requireValid(extended), 0);
  const before = document.source.text;
  const after = editRules(document, grown);
  const { regions, unlisted } = new Comparison(
    fileWithoutText(path, table),
    fileWithoutText(path, grown),
  ).describe();
  const means = [
    ...regions.map(({ kind, text }) => `# ${kind}: ${text}\n`),
    ...unlisted.map((kind) => `# ${kind}: more regions than can be listed\n`),
  ];
  print(`${means.join('')}${additionPatch(path, before, after)}`);
  if (!write) {
    process.exitCode = EXIT.unfit;
    return;
  }
  withFileLock(resolveFile(path), globals.wait, () => {
    if (readInput(path).text !== before)
      throw new CommandError(`\`${path}\` has changed meanwhile`, EXIT.resource, 'try again');
    replaceFile(path, after);
  });
}
