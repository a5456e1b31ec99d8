/** Kinds of options, for yargs. */
import { EXIT } from '@sockfilter/language';
import { type Circumstances, STATE_NAMES } from '@sockfilter/table';
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

/** How limits and quotas stand at the moment that is asked about. */
export const state = {
  choices: STATE_NAMES,
  requiresArg: true,
  describe: 'limits and quotas have all that they give, or nothing; not said, either',
} as const;

export function readCircumstances(words: { readonly state?: string | undefined }): Circumstances {
  return { state: STATE_NAMES.find((name) => name === words.state) };
}

/** Said or not. */
export const flag = { type: 'boolean', default: false } as const;
