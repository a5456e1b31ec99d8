/**
 * Generated commands given to the real iptables and ip6tables, of nftables and of before, and to sockfilter: taken or
 * refused alike, with the same statuses, and listed alike; and their save files both ways. Each difference is
 * one that the documents name. `npm run conformance` runs 5,000 commands.
 */
import { readFileSync } from 'node:fs';
import { printRules } from '@sockfilter/iptables';
import { readNames } from '@sockfilter/language';
import { elementAt } from '@sockfilter/table';
import fc from 'fast-check';
import { describeKernel } from '../harness/kernel.js';
import { forLength } from '../harness/length.js';
import { runSeed } from '../harness/runseed.js';
import { commands, type Family } from './commands.js';
import {
  addOurs,
  listOurs,
  parseTheirs,
  restoreReal,
  runOurs,
  runReal,
  saveOurs,
} from './programs.js';
import { orderReason, reasonFor } from './reasons.js';

const NAMES = readNames({
  passwd: readFileSync('/etc/passwd', 'utf8'),
  group: readFileSync('/etc/group', 'utf8'),
  services: readFileSync('/etc/services', 'utf8'),
});

const LENGTH = 12;
const SEQUENCES = Number(process.env.SOCKFILTER_SEQUENCES ?? forLength({ long: 105, short: 6 }));

const PROGRAMS: readonly (readonly [string, Family])[] = [
  ['iptables', 4],
  ['iptables-legacy', 4],
  ['ip6tables', 6],
  ['ip6tables-legacy', 6],
];

interface Tally {
  agreed: number;
  readonly onPurpose: Map<string, number>;
  readonly differing: string[];
}

const tallies = new Map<string, Tally>();

function compare(program: string, family: Family): Tally {
  const tally: Tally = { agreed: 0, onPurpose: new Map(), differing: [] };
  tallies.set(program, tally);
  const saves: { text: string; rules: readonly string[]; added: readonly string[] }[] = [];
  const sequences = fc.sample(
    fc.array(commands(family), { minLength: LENGTH, maxLength: LENGTH }),
    {
      numRuns: SEQUENCES,
      seed: runSeed,
    },
  );
  const answers = runReal(program, sequences);
  if (!answers) throw new Error(`${program} can't run here`);
  for (const [at, sequence] of sequences.entries()) {
    const theirs = elementAt(answers, at);
    const mine = runOurs(sequence, NAMES, family);
    let parted = false;
    for (const [nth, words] of sequence.entries()) {
      const [there, here] = [elementAt(theirs.statuses, nth), elementAt(mine.statuses, nth)];
      const reason = there === here ? undefined : reasonFor(words, there, here);
      if (there === here) tally.agreed++;
      else if (reason !== undefined)
        tally.onPurpose.set(reason, (tally.onPurpose.get(reason) ?? 0) + 1);
      else tally.differing.push(`${words.join(' ')}: ${there} there, ${here} here`);
      // From here on the tables are not the same.
      if (there !== here && (there === 0 || here === 0)) {
        parted = true;
        break;
      }
    }
    if (parted) continue;
    const same = JSON.stringify(theirs.rules) === JSON.stringify(mine.rules);
    if (same) tally.agreed++;
    else if (orderReason(sequence) !== undefined) {
      const reason = orderReason(sequence) ?? '';
      tally.onPurpose.set(reason, (tally.onPurpose.get(reason) ?? 0) + 1);
      continue;
    } else {
      const line = theirs.rules.findIndex((rule, each) => rule !== mine.rules[each]);
      tally.differing.push(`listed: ${theirs.rules[line]} there, ${mine.rules[line]} here`);
      continue;
    }
    for (const [nth, listing] of theirs.listings.entries()) {
      const own = mine.listings[nth] ?? '';
      const withoutFlags = [listing, own].map((text) => text.replaceAll(/ flags:\S+/g, ' flags'));
      if (listing === own) tally.agreed++;
      else if (withoutFlags[0] === withoutFlags[1]) {
        const reason = 'flags are listed by name, as without `-n`';
        tally.onPurpose.set(reason, (tally.onPurpose.get(reason) ?? 0) + 1);
      } else {
        const [there, here] = [listing, own].map((text) => text.split('\n'));
        const line = there?.findIndex((each, place) => each !== here?.[place]) ?? 0;
        tally.differing.push(`-L: ${there?.[line]} there, ${here?.[line]} here`);
      }
    }
    const read = parseTheirs(theirs.saved, NAMES);
    const [mistake] = read.diagnostics;
    const back = mistake ? [mistake.message] : listOurs(read.table);
    if (JSON.stringify(back) === JSON.stringify(theirs.rules)) tally.agreed++;
    else
      tally.differing.push(`saved there, read here: ${printRules(read.table)}${back.join('\n')}`);
    saves.push({
      text: saveOurs(mine.table),
      rules: theirs.rules,
      added: addOurs(mine.table, NAMES, family),
    });
  }
  const restored = restoreReal(
    program,
    saves.map(({ text }) => text),
  );
  saves.forEach(({ rules, added }, at) => {
    const [whole = [], after = []] = restored[at] ?? [];
    if (JSON.stringify(whole) === JSON.stringify(rules)) tally.agreed++;
    else tally.differing.push(`saved here, restored there: ${whole.join(' | ')}`);
    if (JSON.stringify(after) === JSON.stringify(added)) tally.agreed++;
    else tally.differing.push(`--noflush: ${after.join(' | ')} there, ${added.join(' | ')} here`);
  });
  return tally;
}

describeKernel('beside iptables', () => {
  test.each(PROGRAMS)(
    '%s agrees, but for what is named',
    (program, family) => {
      const { agreed, differing } = compare(program, family);
      expect(differing).toEqual([]);
      expect(agreed).toBeGreaterThan(SEQUENCES * 3);
    },
    900_000,
  );

  afterAll(() => {
    const lines = [...tallies].flatMap(([program, { agreed, onPurpose, differing }]) => [
      `${program}: ${agreed} agreed, ${[...onPurpose.values()].reduce((a, b) => a + b, 0)} differ on purpose, ${differing.length} differ`,
      ...[...onPurpose].map(([reason, count]) => `  ${count} ${reason}`),
    ]);
    if (SEQUENCES > 100) process.stdout.write(`${lines.join('\n')}\n`);
  });
});
