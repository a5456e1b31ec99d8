/** Lines as one types them behind `sockfilter`: a word or two, then options with values. */
import { lexLine } from '@sockfilter/iptables';
import { didYouMean } from '@sockfilter/language';

/** What is wrong with a line: lower case, the user's text in backquotes. */
export class LineError extends Error {
  override readonly name = 'LineError';
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.help = help;
  }
}

export interface LineWords<K extends string> {
  /** What stands before the options. */
  readonly first: string;
  /** The values of each option, in the order in which they are written. */
  readonly values: ReadonlyMap<K, readonly string[]>;
}

/**
 * Reads a line. What a page or a finding shows can be pasted whole: everything up to the command's own name is
 * left out. Throws LineError.
 */
export function readLine<K extends string>(
  text: string,
  command: string,
  keys: readonly K[],
): LineWords<K> {
  const { words, diagnostic } = lexLine(text, 'line', 1);
  if (diagnostic) throw new LineError(diagnostic.message, diagnostic.help);
  const texts = words.map((word) => word.text);
  const rest = texts[0] === 'sockfilter' ? texts.slice(texts.indexOf(command) + 1) : texts;
  const [first = '', ...others] = rest[0]?.startsWith('--') ? ['', ...rest] : rest;
  const values = new Map<K, string[]>();
  for (let at = 0; at < others.length; at++) {
    const word = others[at] ?? '';
    const [, name, glued] = /^--([^=]+)(?:=(.*))?$/.exec(word) ?? [];
    if (name === undefined) throw new LineError(`\`${word}\` is no option`);
    const key = keys.find((each) => each === name);
    if (key === undefined) {
      const options = keys.map((each) => `--${each}`);
      throw new LineError(`unknown option \`--${name}\``, didYouMean(`--${name}`, options));
    }
    const value = glued ?? others[++at];
    if (value === undefined) throw new LineError(`\`--${name}\` needs a value`);
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  return { first, values };
}
