/** Differences on purpose: each is said in docs/language.md. */

interface Reason {
  readonly text: string;
  readonly is: (line: string, there: number, here: number) => boolean;
}

const REASONS: readonly Reason[] = [
  {
    text: 'a built-in chain is not deleted',
    is: (line, there, here) => there === 0 && here === 1 && line === '-X OUTPUT',
  },
  {
    text: 'numbers can be hexadecimal',
    is: (line, there, here) => there === 2 && here !== 2 && line.includes('0x50'),
  },
  {
    text: 'a list of addresses goes with `!` on the other side',
    is: (line, there, here) =>
      there === 2 &&
      here !== 2 &&
      / (-s|-d|--\w+) \S+,\S+/.test(line) &&
      / ! (-s|-d|--s|--d)/.test(line),
  },
  {
    text: 'a rule that no address can meet is taken, and found by `check`',
    is: (line, there, here) =>
      there === 4 && here === 0 && /! (-s|-d|--\w+) (::1?|0)\/0/.test(line),
  },
  {
    text: 'a jump to a built-in chain is forbidden, whatever the rule and table are',
    is: (line, _, here) => here === 2 && /(-j|-g|--jump) OUTPUT/.test(line),
  },
  {
    text: 'a range that ends before it starts matches nothing, and is refused',
    is: (line, _, here) => here === 2 && /10\.0\.0\.9-10|2000-1000|fd00::9-fd00::1/.test(line),
  },
  {
    text: 'an address of three parts is read in two ways, and is refused',
    is: (line, _, here) => here === 2 && / 1\.2\.3( |$)/.test(line),
  },
  {
    text: 'a chain that has rules or is jumped to is not deleted: 1, not 4',
    is: (line, there, here) => there === 4 && here === 1 && line.startsWith('-X '),
  },
  {
    text: 'zeroing a rule that is not there is told',
    is: (line, there, here) => there === 0 && here === 1 && /^-Z \w+ /.test(line),
  },
  {
    text: 'a built-in chain is not renamed, and a user chain is, whatever jumps to it',
    is: (line, there, here) =>
      line.startsWith('-E OUTPUT')
        ? here === 1
        : line.startsWith('-E ') && there === 4 && here === 0,
  },
  {
    text: 'chains that call each other in a loop are refused when the rule is made',
    is: (line, there, here) =>
      here === 1 && there !== 1 && /^(-A|--append|-I|-R) .*(-j|-g|--jump) (web|zeta)/.test(line),
  },
];

/** Why the rules stand in another order here, if that is meant. */
export function orderReason(sequence: readonly (readonly string[])[]): string | undefined {
  const isList = (words: readonly string[]) =>
    words[0] === '-I' && words.some((word) => /^[\da-f:./]+,[\da-f:./]+$/.test(word));
  return sequence.some(isList)
    ? 'a list of addresses is inserted in the order in which it is written'
    : undefined;
}

/** Why the command ends otherwise here, if that is meant. */
export function reasonFor(
  words: readonly string[],
  there: number,
  here: number,
): string | undefined {
  const line = words.join(' ');
  return REASONS.find(({ is }) => is(line, there, here))?.text;
}
