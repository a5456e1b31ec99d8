/** Numbers and ranges of numbers: ports, ids, marks of owners. */
import { bad, good, type Parsed, partOf, splitWord, type Word } from '@sockfilter/language';

export interface NumberKind {
  /** What it is, `port` for example. */
  readonly noun: string;
  readonly least: number;
  readonly most: number;
  /** What stands between the ends of a range. */
  readonly separator: string;
  /** An end that is left out is the least or the most. */
  readonly open?: boolean;
  readonly name?: (name: string) => number | undefined;
}

export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** A decimal number, or a hexadecimal one after 0x; undefined for anything else, octal included. */
export function readNumber(text: string): number | undefined {
  if (!/^(0|[1-9]\d*|0[xX][\da-fA-F]+)$/.test(text)) return undefined;
  return Number(text);
}

export function parseNumber(word: Word, kind: NumberKind): Parsed<number> {
  const { noun, least, most, name } = kind;
  const value = readNumber(word.text) ?? name?.(word.text);
  const place = { span: word.span };
  if (value === undefined) {
    const octal = /^0\d+$/.test(word.text);
    const help = octal
      ? `a leading 0 would mean octal: write \`${word.text.replace(/^0+(?=\d)/, '')}\``
      : undefined;
    if (name && /^[A-Za-z_]/.test(word.text))
      return bad('unknown-name', `no ${noun} by the name \`${word.text}\``, place);
    return bad('bad-value', `invalid ${noun} \`${word.text}\``, { ...place, help });
  }
  if (value < least || value > most) {
    const message = `${noun} \`${word.text}\` is out of range: it must be ${least} to ${most}`;
    return bad('bad-value', message, place);
  }
  return good(value);
}

/** One number, or two with the separator between them. */
export function parseRange(word: Word, kind: NumberKind): Parsed<NumberRange> {
  const named = kind.name?.(word.text);
  if (named !== undefined) return good({ from: named, to: named });
  const at = word.text.indexOf(kind.separator, 1);
  const cut = at < 0 && kind.open && word.text.startsWith(kind.separator) ? 0 : at;
  if (cut < 0) {
    const [, low, high] = /^(\d+)[-:](\d+)$/.exec(word.text) ?? [];
    if (low !== undefined) {
      const help = `write \`${low}${kind.separator}${high}\``;
      return bad('bad-value', `invalid ${kind.noun} \`${word.text}\``, { span: word.span, help });
    }
    const one = parseNumber(word, kind);
    return one.ok ? good({ from: one.value, to: one.value }) : one;
  }
  const end = (part: Word, missing: number) =>
    kind.open && part.text === '' ? good(missing) : parseNumber(part, kind);
  const from = end(partOf(word, 0, cut), kind.least);
  if (!from.ok) return from;
  const to = end(partOf(word, cut + kind.separator.length), kind.most);
  if (!to.ok) return to;
  if (from.value > to.value) {
    const help = `write \`${to.value}${kind.separator}${from.value}\``;
    const message = `invalid ${kind.noun} range \`${word.text}\`: it ends before it starts`;
    return bad('bad-value', message, { span: word.span, help });
  }
  return good({ from: from.value, to: to.value });
}

/** Ranges with commas between them, in the order written. */
export function parseRanges(word: Word, kind: NumberKind): Parsed<readonly NumberRange[]> {
  const ranges: NumberRange[] = [];
  for (const piece of splitWord(word, ',')) {
    const range = parseRange(piece, kind);
    if (!range.ok) return range;
    ranges.push(range.value);
  }
  return good(ranges);
}

export function printRange({ from, to }: NumberRange, separator: string): string {
  return from === to ? String(from) : `${from}${separator}${to}`;
}
