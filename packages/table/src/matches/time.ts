import {
  defineParameter,
  givenValue,
  isNegated,
  type MatchDescriptor,
  type MatchOption,
} from '../match.js';

/** Midnight, and the last second before the next. */
const [DAY_BEGINS, DAY_ENDS] = [0, 86_399];
/** iptables counts seconds in 31 bits: what has no other end ends with them. */
const LAST_SECOND = 2 ** 31 - 1;
/** Bits 1 to 7, and 1 to 31. */
const [WEEK, MONTH] = [0xfe, 0xffff_fffe];

/** The days that are meant: those given or, negated, the others. */
function daysOf(options: readonly MatchOption[], name: 'weekdays' | 'monthdays'): number {
  const all = name === 'weekdays' ? WEEK : MONTH;
  const days = givenValue(options, name, name)?.days ?? all;
  return (isNegated(options, name) ? all & ~days : days) >>> 0;
}

function hours(options: readonly MatchOption[]) {
  const from = givenValue(options, 'timestart', 'timeOfDay')?.seconds ?? DAY_BEGINS;
  const to = givenValue(options, 'timestop', 'timeOfDay')?.seconds ?? DAY_ENDS;
  return { from, to };
}

/** Hours, days and dates, by the clock alone. */
export const time: MatchDescriptor = {
  name: 'time',
  needsOption: false,
  exclusive: [['utc', 'kerneltz']],
  options: {
    timestart: defineParameter('timeOfDay'),
    timestop: defineParameter('timeOfDay'),
    monthdays: defineParameter('monthdays', { negatable: true }),
    weekdays: defineParameter('weekdays', { negatable: true }),
    datestart: defineParameter('date'),
    datestop: defineParameter('date'),
    kerneltz: defineParameter('none'),
    utc: defineParameter('none'),
    contiguous: defineParameter('none'),
  },
  settle: (options) => {
    const { from, to } = hours(options);
    if (options.some(({ name }) => name === 'contiguous') && to >= from) {
      const message = '`--contiguous` is for hours that go on past midnight';
      return { message, option: 'contiguous' };
    }
    const begin = givenValue(options, 'datestart', 'date')?.seconds ?? 0;
    const isAll = from === DAY_BEGINS && to === DAY_ENDS;
    const plain = (name: string, value: MatchOption['value']) => [{ name, negated: false, value }];
    const days = (name: 'weekdays' | 'monthdays', all: number) => {
      const given = daysOf(options, name);
      return given === all >>> 0 ? [] : plain(name, { kind: name, days: given });
    };
    for (const name of ['weekdays', 'monthdays'] as const)
      if (daysOf(options, name) === 0)
        return { message: `\`--${name}\` leaves no day: the rule would never match`, option: name };
    const kept = (...names: readonly string[]) =>
      options.filter(({ name }) => names.includes(name));
    return {
      options: [
        ...(isAll ? [] : plain('timestart', { kind: 'timeOfDay', seconds: from })),
        ...(isAll ? [] : plain('timestop', { kind: 'timeOfDay', seconds: to })),
        ...days('monthdays', MONTH),
        ...days('weekdays', WEEK),
        ...(begin === 0 ? [] : kept('datestart')),
        ...plain('datestop', {
          kind: 'date',
          seconds: givenValue(options, 'datestop', 'date')?.seconds ?? LAST_SECOND,
        }),
        ...kept('kerneltz', 'contiguous'),
      ],
    };
  },
  asks: (options) => {
    const has = (option: string) => options.some(({ name }) => name === option);
    return {
      question: {
        kind: 'schedule',
        ...hours(options),
        isContiguous: has('contiguous'),
        weekdays: daysOf(options, 'weekdays'),
        monthdays: daysOf(options, 'monthdays'),
        begin: givenValue(options, 'datestart', 'date')?.seconds ?? 0,
        end: givenValue(options, 'datestop', 'date')?.seconds ?? LAST_SECOND,
        isLocal: has('kerneltz'),
      },
      negated: false,
    };
  },
};
