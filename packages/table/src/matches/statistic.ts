import {
  defineParameter,
  givenValue,
  isNegated,
  type MatchDescriptor,
  requireValue,
} from '../match.js';

const MOST = 2n ** 32n - 1n;

/** Some calls, by chance or each n-th. */
export const statistic: MatchDescriptor = {
  name: 'statistic',
  needsOption: true,
  exclusive: [
    ['probability', 'every'],
    ['probability', 'packet'],
  ],
  options: {
    mode: defineParameter('word', { choices: ['random', 'nth'] }),
    probability: defineParameter('probability', { negatable: true }),
    every: defineParameter('count', { negatable: true, bounds: [1n, MOST] }),
    packet: defineParameter('count', { bounds: [0n, MOST] }),
  },
  settle: (options) => {
    const given = (name: string) => options.some((option) => option.name === name);
    const mode = givenValue(options, 'mode', 'word')?.word;
    if (mode === undefined) {
      const help = `write \`--mode ${given('every') ? 'nth' : 'random'}\` before it`;
      return { message: '`-m statistic` needs `--mode`', help };
    }
    const [needed, foreign] =
      mode === 'random'
        ? [['probability'], ['every', 'packet']]
        : [['every', 'packet'], ['probability']];
    const odd = foreign.find(given);
    if (odd !== undefined) {
      const message = `\`--mode ${mode}\` has no \`--${odd}\``;
      return { message, option: odd };
    }
    const missing = needed.find((name) => !given(name));
    if (missing !== undefined)
      return { message: `\`--mode ${mode}\` needs \`--${missing}\``, option: 'mode' };
    const every = givenValue(options, 'every', 'count');
    const packet = givenValue(options, 'packet', 'count');
    if (every && packet && packet.count >= every.count) {
      const message = `\`--packet\` counts from 0: it must be less than \`--every\`, ${every.count}`;
      return { message, option: 'packet' };
    }
    return { options };
  },
  asks: (options) => {
    const chance = givenValue(options, 'probability', 'probability');
    if (chance)
      return {
        question: { kind: 'chance', threshold: chance.threshold },
        negated: isNegated(options, 'probability'),
      };
    const every = Number(requireValue(options, 'every', 'count').count);
    const at = Number(requireValue(options, 'packet', 'count').count);
    return { question: { kind: 'turn', every, at }, negated: isNegated(options, 'every') };
  },
};
