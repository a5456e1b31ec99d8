/** Rates: so many in a period. */
import { bad, didYouMean, good, type Parsed, type Word } from '@sockfilter/language';
import { elementAt, RATE_PERIODS, type RatePeriod, type ValueOf } from '@sockfilter/table';
import { defineValue } from './syntax.js';

/** As written, of which any beginning is taken, and as printed. */
const PERIODS: Readonly<Record<RatePeriod, readonly [written: string, printed: string]>> = {
  1: ['second', 'sec'],
  60: ['minute', 'min'],
  3600: ['hour', 'hour'],
  86400: ['day', 'day'],
};

const MOST = 2 ** 32 - 1;

function findPeriod(text: string): RatePeriod | undefined {
  const wanted = text.toLowerCase();
  return RATE_PERIODS.find((period) => wanted !== '' && PERIODS[period][0].startsWith(wanted));
}

/** The same rate in the shortest period in which it is a whole number. */
function settleRate(count: number, seconds: RatePeriod): ValueOf<'rate'> {
  const shortest =
    RATE_PERIODS.find((each) => each <= seconds && Number.isInteger((count * each) / seconds)) ??
    elementAt(RATE_PERIODS, 0);
  return { kind: 'rate', count: (count * shortest) / seconds, seconds: shortest };
}

/** A rate in iptables' words; without a period it is per second. */
export function parseRate({ text, span }: Word): Parsed<ValueOf<'rate'>> {
  const [, number = '', slash, unit = ''] = /^(\d+)(\/(.*))?$/.exec(text) ?? [];
  if (/^\d+[kmg]?b(\/|$)/i.test(text)) {
    const help = 'write a number of calls, as in `5/second`';
    return bad('unsupported', `rate \`${text}\` is of bytes: a socket call has none`, {
      span,
      help,
    });
  }
  const count = Number(number);
  if (count < 1 || count > MOST) {
    const help =
      'write a whole number of calls, as in `5/second`, `3/minute`, `10/hour` or `1/day`';
    return bad('bad-value', `invalid rate \`${text}\``, { span, help });
  }
  const seconds = slash === undefined ? 1 : findPeriod(unit);
  if (seconds === undefined) {
    const units = RATE_PERIODS.map((period) => PERIODS[period][0]);
    const help = didYouMean(unit, units) ?? `the periods are ${units.join(', ')}`;
    return bad('bad-value', `invalid period \`${unit}\``, { span, help });
  }
  return good(settleRate(count, seconds));
}

export const rate = defineValue('rate', {
  verbatim: true,
  parse: parseRate,
  print: ({ count, seconds }) => `${count}/${PERIODS[seconds][1]}`,
});
