/** Times of day and dates. */
import { bad, good } from '@sockfilter/language';
import { readDate } from '@sockfilter/table';
import { defineValue } from './syntax.js';

const two = (value: number) => String(value).padStart(2, '0');

export const timeOfDay = defineValue('timeOfDay', {
  parse: ({ text, span }) => {
    const [, hours, minutes, seconds = '0'] =
      /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/.exec(text) ?? [];
    if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) {
      const help = 'write hh:mm or hh:mm:ss, up to 23:59:59';
      return bad('bad-value', `invalid time \`${text}\``, { span, help });
    }
    const total = 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds);
    return good({ kind: 'timeOfDay', seconds: total });
  },
  print: ({ seconds }) =>
    [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((n) => two(Math.floor(n))).join(':'),
});

export const date = defineValue('date', {
  parse: ({ text, span }) => {
    const seconds = readDate(text);
    if (seconds === undefined) {
      const help = 'write YYYY[-MM[-DD[Thh[:mm[:ss]]]]], from 1970 to 2038-01-19T03:14:07';
      return bad('bad-value', `invalid date \`${text}\``, { span, help });
    }
    return good({ kind: 'date', seconds });
  },
  print: ({ seconds }) => new Date(1000 * seconds).toISOString().slice(0, 19),
});
