/** `sockfilter import`: rules of other programs as a rule file, and what of them is not in it. */
import {
  type ChainMap,
  type Draft,
  finishDraft,
  type Imported,
  importPolicies,
  importUnit,
  printInvariants,
  readDump,
  readRuleset,
  type Scope,
  translate,
} from '@sockfilter/interop';
import { EXIT, type Source, writeJson } from '@sockfilter/language';
import { isBuiltinChain, MAX_GROUP_ID } from '@sockfilter/table';
import { replaceFile } from './atomicfile.js';
import { CommandError } from './failure.js';
import { readGroupPath } from './globals.js';
import { readInput } from './inputfile.js';
import { note, printRuleText } from './output.js';
import { tellRemarks } from './remarks.js';

export interface ImportWords {
  readonly from: 'iptables-save' | 'nft-json' | 'systemd-unit' | 'networkpolicy';
  readonly files: readonly string[];
  readonly chainMap: string;
  readonly group: string | undefined;
  readonly path: string | undefined;
  /** The first id that is given to a control group which has none. */
  readonly id: string | undefined;
  readonly pods: readonly string[];
  /** Where the invariants go. */
  readonly tests: string | undefined;
  /** Where the remarks go as JSON, beside standard error. */
  readonly report: string | undefined;
}

/** `INPUT=ACCEPT,OUTPUT=CONNECT:SENDTO`. */
function readChainMap(text: string): ChainMap {
  const map = new Map(
    text.split(',').map((entry) => {
      const [theirs = '', list = ''] = entry.split('=');
      const ours = list.split(':').filter(isBuiltinChain);
      if (theirs === '' || ours.length === 0 || ours.length < list.split(':').length) {
        const help = 'for example `INPUT=ACCEPT,OUTPUT=CONNECT:SENDTO`';
        throw new CommandError(`\`${entry}\` is no \`CHAIN=OURS:...\``, EXIT.usage, help);
      }
      return [theirs, ours] as const;
    }),
  );
  return map;
}

function readScope({ group, path }: ImportWords): Scope {
  if (path !== undefined) return ['-m', 'cgroup', '--path', readGroupPath(path)];
  if (group === undefined) return [];
  if (/^\d+$/.test(group) && Number(group) <= MAX_GROUP_ID) return ['-m', 'cgroup', '--id', group];
  const help = 'a name means nothing in a file that does not declare it: give its id, or `--path`';
  throw new CommandError(`\`${group}\` is no id of a group`, EXIT.usage, help);
}

/** The same ids on every host, whatever that has given out. */
function readFirstId({ id }: ImportWords): number {
  if (id === undefined) return 1;
  const number = Number(id);
  if (/^\d+$/.test(id) && number >= 1 && number <= MAX_GROUP_ID) return number;
  const message = `invalid group id \`${id}\`: it is a number from 1 to ${MAX_GROUP_ID}`;
  throw new CommandError(message, EXIT.usage);
}

function readDraft(words: ImportWords, sources: readonly Source[]): Draft {
  const scope = readScope(words);
  if (words.from === 'iptables-save' || words.from === 'nft-json') {
    const read = words.from === 'nft-json' ? readRuleset : readDump;
    return translate(sources.map(read), readChainMap(words.chainMap), scope);
  }
  if (words.from === 'networkpolicy')
    return importPolicies(
      sources,
      words.pods.map((file) => readInput(file)),
    );
  const draft = importUnit(sources, scope);
  if (!('fault' in draft)) return draft;
  throw new CommandError(draft.fault, EXIT.usage, 'say it with `--path`');
}

function refuseWider({ remarks }: Imported): void {
  const wider = remarks.filter(({ fate }) => fate === 'wider').length;
  if (wider === 0) return;
  const message = `${wider} ${wider === 1 ? 'part' : 'parts'} of the original can't be said, and without ${wider === 1 ? 'it' : 'them'} more would be accepted`;
  throw new CommandError(
    message,
    EXIT.unfit,
    'take out what is named as wider above, or change it',
  );
}

export function importRules(words: ImportWords): void {
  const sources = words.files.map((file) => readInput(file));
  const imported = finishDraft(readDraft(words, sources), readFirstId(words));
  tellRemarks(imported.remarks);
  if (words.report !== undefined) replaceFile(words.report, writeJson(imported.remarks));
  refuseWider(imported);
  printRuleText(imported.text);
  if (words.tests === undefined) return;
  if (imported.invariants.length > 0)
    replaceFile(words.tests, printInvariants(imported.invariants));
  else note(`nothing can be stated of it: ${words.tests} is not written`);
}
