/** Kinds of options, for yargs. */
import { EXIT } from '@sockfilter/language';
import { type Circumstances, readDate, STATE_NAMES } from '@sockfilter/table';
import { CommandError } from './failure.js';

function once(value: string | readonly string[]): string {
  if (typeof value === 'string') return value;
  const message = `an option is given more than once: \`${value.join('`, `')}\``;
  throw new CommandError(message, EXIT.usage);
}

/** A value, once at most. */
export const text = { type: 'string', requiresArg: true, coerce: once } as const;

/** Values, one for each time that the option is given. */
export const list = { type: 'string', array: true, requiresArg: true, nargs: 1 } as const;

export const json = { type: 'boolean', default: false, describe: 'print JSON' } as const;

/** How limits and quotas stand at the moment that is asked about. */
export const state = {
  choices: STATE_NAMES,
  requiresArg: true,
  describe: 'limits and quotas have all that they give, or nothing; not said, either',
} as const;

/** When the call that is asked about comes, by the clock on the wall. */
export const time = {
  ...text,
  describe: '2026-11-25T14:30: when it comes, in the time zone of each rule',
} as const;

interface CircumstanceWords {
  readonly state?: string | undefined;
  readonly time?: string | undefined;
}

export function readCircumstances(words: CircumstanceWords): Circumstances {
  const seconds = words.time === undefined ? undefined : readDate(words.time);
  if (words.time !== undefined && seconds === undefined)
    throw new CommandError(
      `invalid date \`${words.time}\``,
      EXIT.usage,
      'write YYYY[-MM[-DD[Thh[:mm[:ss]]]]], from 1970 to 2038',
    );
  return { state: STATE_NAMES.find((name) => name === words.state), time: seconds };
}

/** Said or not. */
export const flag = { type: 'boolean', default: false } as const;
