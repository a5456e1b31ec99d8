/**
 * Lines that insert, replace or delete a rule and are written plainly: the rule stands in them as in a line that appends
 * it, so what is known of the forms of those holds for these.
 */
import type { EditCommand } from '@sockfilter/language';
import type { Rule } from '@sockfilter/table';

const CHAIN = '([A-Za-z][\\w-]*)';
const NUMBER = '([1-9]\\d{0,8})';
const DELETION = new RegExp(`^-D ${CHAIN} ${NUMBER}$`);
const EDIT = new RegExp(`^-([IRD]) ${CHAIN}(?: ${NUMBER})?(?= [-!])`);

export interface EditLine {
  /** The line that appends the rule. */
  readonly appended: string;
  readonly command: (rule: Rule) => EditCommand;
}

/** `-D BIND 5`; undefined for any other line. */
export function plainDeletion(text: string): EditCommand | undefined {
  const [, chain, number] = DELETION.exec(text) ?? [];
  if (chain === undefined) return undefined;
  return { kind: 'delete-number', chain, number: Number(number) };
}

/** `-I BIND ...`, `-R BIND 5 ...` or `-D BIND ...`; undefined for any other line. */
export function editLine(text: string): EditLine | undefined {
  const [start, verb, chain, digits] = EDIT.exec(text) ?? [];
  if (start === undefined || chain === undefined) return undefined;
  const command = commandOf(verb, chain, digits === undefined ? undefined : Number(digits));
  return command && { appended: `-A ${chain}${text.slice(start.length)}`, command };
}

function commandOf(
  verb: string | undefined,
  chain: string,
  number: number | undefined,
): EditLine['command'] | undefined {
  if (verb === 'I')
    return (rule) => ({ kind: 'insert', chain, number: number ?? 1, rules: [rule] });
  if (verb === 'D' && number === undefined)
    return (rule) => ({ kind: 'delete', chain, rules: [rule] });
  if (verb === 'R' && number !== undefined)
    return (rule) => ({ kind: 'replace', chain, number, rule });
  return undefined;
}
