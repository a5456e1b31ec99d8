/** What imports and exports tell beside what they print. */
import { printPlace, type Remark } from '@sockfilter/interop';
import { escapeUnseen } from '@sockfilter/language';
import { tell } from './output.js';

/** Lines that follow each other with the same reason are told together. */
export function tellRemarks(remarks: readonly Remark[]): void {
  let at = 0;
  while (at < remarks.length) {
    const first = remarks[at];
    if (!first) return;
    let next = at + 1;
    for (let each = remarks[next]; each && isSame(first, each); each = remarks[++next]);
    const last = remarks[next - 1] ?? first;
    const until = first.place === undefined && last.line > first.line ? `-${last.line}` : '';
    const place = `${printPlace(first)}${until}`;
    const what = next - at > 1 ? `${next - at} lines` : shortened(first.text);
    tell(
      `${escapeUnseen(`${place}: ${first.fate}: ${first.reason}${what === '' ? '' : `: ${what}`}`)}\n`,
    );
    at = next;
  }
}

/** A document may be one line. */
const MAX_TEXT = 200;

const shortened = (text: string) =>
  text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;

function isSame(first: Remark, { file, fate, reason }: Remark): boolean {
  return first.file === file && first.fate === fate && first.reason === reason;
}
