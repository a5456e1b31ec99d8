/** The lines of a save file that declare groups: `-G NAME --id N [--path PATH]`. */
import {
  bad,
  type Diagnostic,
  diagnose,
  good,
  type Parsed,
  type Report,
  type Word,
} from '@sockfilter/language';
import { type Group, MAX_GROUP_ID } from '@sockfilter/table';
import type { OptionRow, OptionUse, Vocabulary } from './optionrow.js';
import { quoteSaved, SAVED_WORD, unquoteSaved } from './quote.js';
import { scanOptions } from './scan.js';
import { parsePath } from './values/grouppath.js';
import { parseNumber } from './values/number.js';

interface GroupDraft {
  readonly report: Report;
  name: OptionUse | undefined;
  id: OptionUse | undefined;
  path: OptionUse | undefined;
}

type Part = 'name' | 'id' | 'path';

const row = (part: Part, long: string, short?: string): OptionRow<GroupDraft> => ({
  long: [long],
  short,
  least: 1,
  most: 1,
  negatable: false,
  take: (draft, use) => {
    if (draft[part]) {
      const message = `\`${use.option.text}\` is given more than once`;
      draft.report({ code: 'duplicate', message, span: use.span, exit: 2 });
    }
    draft[part] = use;
  },
});

const ROWS = [row('name', 'group', 'G'), row('id', 'id'), row('path', 'path')];

const VOCABULARY: Vocabulary<GroupDraft> = {
  long: (name) => ROWS.find(({ long }) => long.includes(name)),
  short: (letter) => ROWS.find(({ short }) => short === letter),
  rows: () => ROWS,
  names: () => ROWS.flatMap(({ long }) => long),
  explain: () => undefined,
};

/** A name that `--id` can't take for a number. */
export function parseGroupName(word: Word): Parsed<string> {
  const name = word.text;
  if (name !== '' && !/^[\d!-]|\p{Cc}/u.test(name)) return good(name);
  const help = 'a name starts with neither a digit nor `-` nor `!`';
  return bad('bad-value', `invalid group name \`${name}\``, { span: word.span, help });
}

export function parseGroupId(word: Word): Parsed<number> {
  return parseNumber(word, { noun: 'group id', least: 1, most: MAX_GROUP_ID, separator: ':' });
}

export interface ParsedGroup {
  readonly group: Group | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

export function parseGroupLine(words: readonly Word[], start: Word): ParsedGroup {
  const diagnostics: Diagnostic[] = [];
  const report: Report = (diagnostic) => {
    diagnostics.push(diagnostic);
  };
  const draft: GroupDraft = { report, name: undefined, id: undefined, path: undefined };
  scanOptions(words, draft, VOCABULARY);
  function read<T>(use: OptionUse | undefined, parse: (word: Word) => Parsed<T>): T | undefined {
    const [word] = use?.words ?? [];
    if (!word) return undefined;
    const parsed = parse(word);
    if (parsed.ok) return parsed.value;
    report(diagnose(parsed.problem, word.span));
    return undefined;
  }
  const name = read(draft.name, parseGroupName);
  const id = read(draft.id, parseGroupId);
  const path = read(draft.path, parsePath);
  if (!draft.id && diagnostics.length === 0)
    report({ code: 'missing', message: 'a group needs `--id`', span: start.span, exit: 2 });
  const sound = diagnostics.length === 0 && name !== undefined && id !== undefined;
  return { group: sound ? { name, id, path } : undefined, diagnostics };
}

export function printGroup({ name, id, path }: Group): string {
  return `-G ${quoteSaved(name)} --id ${id}${path === undefined ? '' : ` --path ${quoteSaved(path)}`}`;
}

const PRINTED = new RegExp(`^-G (${SAVED_WORD}) --id (\\d+)(?: --path (${SAVED_WORD}))?$`, 's');

/** The group of a line that is as printGroup() has it: what it says is what somebody has been told that it may be. */
export function printedGroup(line: string): Group | undefined {
  const [, name, id, path] = PRINTED.exec(line) ?? [];
  if (name === undefined) return undefined;
  return {
    name: unquoteSaved(name),
    id: Number(id),
    path: path === undefined ? undefined : unquoteSaved(path),
  };
}
