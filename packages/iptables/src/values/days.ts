/** Days of the week and of the month, as a set of bits from 1 on. */
import { bad, didYouMean, good, type Parsed, splitWord, type Word } from '@sockfilter/language';
import { defineValue } from './syntax.js';

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

function readDays(word: Word, read: (part: Word) => Parsed<number>): Parsed<number> {
  let days = 0;
  for (const part of splitWord(word, ',')) {
    const day = read(part);
    if (!day.ok) return day;
    days |= 1 << day.value;
  }
  return good(days >>> 0);
}

const numbers = (days: number) =>
  Array.from({ length: 31 }, (_, n) => n + 1).filter((day) => (days >>> day) & 1);

/** A number, or a name of which the first letters count, as in iptables. */
function readWeekday({ text, span }: Word): Parsed<number> {
  const at = /^[1-7]$/.test(text)
    ? Number(text) - 1
    : text.length < 2
      ? -1
      : WEEKDAYS.findIndex((name) => name.startsWith(text.slice(0, 3)) || text.startsWith(name));
  if (at >= 0) return good(at + 1);
  const help = didYouMean(text, WEEKDAYS) ?? 'write Mon to Sun, or 1 to 7 with Monday as 1';
  return bad('bad-value', `invalid day of the week \`${text}\``, { span, help });
}

export const weekdays = defineValue('weekdays', {
  parse: (word) => {
    const days = readDays(word, readWeekday);
    return days.ok ? good({ kind: 'weekdays', days: days.value }) : days;
  },
  print: ({ days }) =>
    numbers(days)
      .map((day) => WEEKDAYS[day - 1])
      .join(','),
});

export const monthdays = defineValue('monthdays', {
  parse: (word) => {
    const days = readDays(word, ({ text, span }) => {
      if (/^([1-9]|[12]\d|3[01])$/.test(text)) return good(Number(text));
      const help = 'write days from 1 to 31 with commas between them';
      return bad('bad-value', `invalid day of the month \`${text}\``, { span, help });
    });
    return days.ok ? good({ kind: 'monthdays', days: days.value }) : days;
  },
  print: ({ days }) => numbers(days).join(','),
});
