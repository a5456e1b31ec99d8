/** Types of addresses, in any case, with commas between them. */
import { bad, didYouMean, good, splitWord } from '@sockfilter/language';
import { ADDRESS_TYPES, type AddressType } from '@sockfilter/table';
import { defineValue } from './syntax.js';

const OF_ROUTES =
  'only the routes of a host tell which addresses these are, and no hook can ask them';

/** What iptables has beside ours. */
const UNTOLD = [
  ...['LOCAL', 'ANYCAST', 'BLACKHOLE', 'UNREACHABLE', 'PROHIBIT', 'THROW', 'NAT', 'XRESOLVE'],
];

export const addressTypes = defineValue('addressTypes', {
  parse: (word) => {
    const found = new Set<AddressType>();
    for (const { text, span } of splitWord(word, ',')) {
      const name = text.toUpperCase();
      const type = ADDRESS_TYPES.find((each) => each === name);
      if (type) {
        found.add(type);
        continue;
      }
      if (UNTOLD.includes(name)) {
        const help = 'write addresses and networks: `-d 10.0.0.0/8`, or a set of them';
        const message = `address type \`${text}\` is not available: ${OF_ROUTES}`;
        return bad('unsupported', message, { span, help });
      }
      const help = didYouMean(name, ADDRESS_TYPES) ?? `it can be ${ADDRESS_TYPES.join(', ')}`;
      return bad('bad-value', `invalid address type \`${text}\``, { span, help });
    }
    return good({ kind: 'addressTypes', types: ADDRESS_TYPES.filter((type) => found.has(type)) });
  },
  print: ({ types }) => types.join(','),
});
