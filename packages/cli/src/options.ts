/** Kinds of options, for yargs. */
import { EXIT } from '@sockfilter/language';
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

/** Said or not. */
export const flag = { type: 'boolean', default: false } as const;
