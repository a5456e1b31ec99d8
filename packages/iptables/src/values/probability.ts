/** Probabilities, in steps of 2^-31 as the kernel has them. */
import { bad, good } from '@sockfilter/language';
import { defineValue } from './syntax.js';

const STEPS = 2 ** 31;
/** As iptables prints them: enough for each step to read back as itself. */
const DIGITS = 11;

export const probability = defineValue('probability', {
  verbatim: true,
  parse: ({ text, span }) => {
    if (!/^(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text))
      return bad('bad-value', `invalid probability \`${text}\``, { span, help: 'write 0 to 1' });
    const value = Number(text);
    if (value > 1) {
      const message = `probability \`${text}\` is out of range: it must be 0 to 1`;
      return bad('bad-value', message, { span });
    }
    return good({ kind: 'probability', threshold: Math.round(STEPS * value) });
  },
  print: ({ threshold }) => (threshold / STEPS).toFixed(DIGITS),
});
