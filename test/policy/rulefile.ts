/** Rule files from text, as the command makes them. */
import { parseSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import type { Place, RuleFile } from '@sockfilter/policy';
import type { Chain, Rule } from '@sockfilter/table';

const PREAMBLE = `*socket
-G web --id 3 --path /web
-G db --id 4 --path /db
`;

/** A file of the lines, in a table with the groups web (3) and db (4). */
export function fileOf(lines: readonly string[], name = 'x.rules'): RuleFile {
  return fileOfText(`${PREAMBLE}${lines.join('\n')}\nCOMMIT\n`, name);
}

export function fileOfText(text: string, name = 'x.rules'): RuleFile {
  const { document, table, diagnostics } = parseSave(text, name, { names: NO_NAMES });
  const [fault] = diagnostics;
  if (fault) throw new Error(`${fault.span.line}: ${fault.message}`);
  const start: Place = { file: name, line: 1, column: 1, length: 1 };
  const written = text.split('\n');
  const isRule = (owner: Rule | Chain): owner is Rule => 'matches' in owner;
  const placeOf = (owner: Rule | Chain): Place => {
    if (!isRule(owner)) {
      const at = document.lines.findIndex(
        (line) => line.kind === 'chain' && line.name === owner.name,
      );
      return at < 0 ? start : { ...start, line: at + 1 };
    }
    const span = document.places.get(owner)?.rule;
    return span ? { file: name, line: span.line, column: span.column, length: span.length } : start;
  };
  return {
    name,
    table,
    placeOf,
    placeOfGroup: (group) => {
      const span = document.groups.get(group);
      return span
        ? { file: name, line: span.line, column: span.column, length: span.length }
        : start;
    },
    wordsOf: (rule) => {
      const place = placeOf(rule);
      const words = (written[place.line - 1] ?? '').matchAll(/\S+/g);
      return [...words].map((match) => ({
        text: match[0],
        place: { ...place, column: match.index + 1, length: match[0].length },
      }));
    },
    isPrinted: (rule) =>
      document.lines.some(
        (line, at) =>
          line.kind === 'rules' &&
          document.ruleLines.printedAt(at) !== undefined &&
          line.rules.includes(rule),
      ),
    saysUnseen: document.lines.some(({ kind }) => kind === 'deny-unseen'),
    comments: document.lines.flatMap(({ kind, text: line }, at) =>
      kind === 'comment' ? [{ line: at + 1, text: line }] : [],
    ),
  };
}

/** The line of the file on which the first of `fileOf`'s lines stands. */
export const FIRST_LINE = PREAMBLE.split('\n').length;
