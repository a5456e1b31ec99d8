/** Errnos by name. */
import { bad, didYouMean, good } from '@sockfilter/language';
import { isRejectErrno, REJECT_ERRNO } from '@sockfilter/table';
import { defineValue } from './syntax.js';

/** What iptables' REJECT answers with. */
const ON_THE_NETWORK = /^(icmp6?-|tcp-reset|no-route|adm-prohibited|addr-unreach|port-unreach)/;

export const errno = defineValue('errno', {
  parse: (word) => {
    const name = word.text.toUpperCase();
    if (isRejectErrno(name)) return good({ kind: 'errno', errno: name });
    const at = { span: word.span };
    const all = Object.keys(REJECT_ERRNO);
    if (ON_THE_NETWORK.test(word.text)) {
      const message = `\`${word.text}\` is an answer on the network: a socket call fails with an errno`;
      return bad('unsupported', message, { ...at, help: 'write `ECONNREFUSED`' });
    }
    const help = didYouMean(word.text, all) ?? `it can be ${all.join(', ')}`;
    const message = `unknown errno \`${word.text}\` for \`--reject-with\``;
    return bad('bad-value', message, { ...at, help });
  },
  print: (value) => value.errno,
});
