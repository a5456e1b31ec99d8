/** Protocols by name and number. */
import { bad, didYouMean, good } from '@sockfilter/language';
import { PROTOCOL, PROTOCOL_NAMES, protocolName } from '@sockfilter/table';
import { readNumber } from './number.js';
import { defineValue } from './syntax.js';

const NAMES: Readonly<Record<string, number>> = { all: 0, ...PROTOCOL_NAMES };

/** Protocols that no rule may name. */
const UNSEEN: readonly number[] = [PROTOCOL.sctp, PROTOCOL.dccp];

/** As rules print it: 0 is `all`. */
export function printProtocol(protocol: number): string {
  return protocol === 0 ? 'all' : protocolName(protocol);
}

function listHelp(text: string): string | undefined {
  if (!text.includes(',')) return undefined;
  const known = text.split(',').filter((name) => Object.hasOwn(NAMES, name));
  const written = known.map((name) => `\`${name}\``).join(' or ');
  return written === ''
    ? undefined
    : `a rule has one protocol: write ${written}, and a rule for each`;
}

export const protocol = defineValue('protocol', {
  parse: (word) => {
    const text = word.text.toLowerCase();
    const number = readNumber(text) ?? (Object.hasOwn(NAMES, text) ? NAMES[text] : undefined);
    if (number === undefined || number > 255) {
      const help = listHelp(text) ?? didYouMean(word.text, Object.keys(NAMES));
      return bad('bad-value', `unknown protocol \`${word.text}\``, { span: word.span, help });
    }
    if (UNSEEN.includes(number)) {
      const name = printProtocol(number);
      return bad(
        'unsupported',
        `\`-p ${word.text}\` can't be enforced: the kernel shows ${name} sockets to no hook`,
        {
          span: word.span,
        },
      );
    }
    return good({ kind: 'protocol', protocol: number });
  },
  print: ({ protocol: number }) => printProtocol(number),
});
