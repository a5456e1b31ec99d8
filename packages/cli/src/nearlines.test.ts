/** Which lines may match a call that another matches as well. */
import { excerpt, keptText } from '@sockfilter/iptables';
import fc from 'fast-check';
import { linesNear } from './nearlines.js';
import { textBytes } from './textedit.js';

/** Whether each of the lines is near the last. */
function areNear(options: readonly string[], other: string): readonly boolean[] {
  const lines = options.map((option) => `-A BIND ${option} -j DROP\n`);
  const text = keptText(
    textBytes(Buffer.from(excerpt(lines.join('')).replace('\n', '\n:BIND ACCEPT\n'))),
  );
  const span = { ...text.spanOf('BIND'), index: 0 };
  const near = linesNear(text, span, [`-A BIND ${other} -j DROP\n`]).map(({ index }) => index);
  return options.map((_, n) => near.includes(n));
}

const network = fc.tuple(
  fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff),
  fc.constantFrom(0, 1, 2, 8, 31, 32),
);
type Network = readonly [address: number, bits: number];

const spell = ([address, bits]: Network) =>
  `${[24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')}/${bits}`;

/** Both have the bits that both name. */
const overlap = ([a, m]: Network, [b, n]: Network) => {
  const hosts = 2n ** BigInt(32 - Math.min(m, n));
  return BigInt(a) / hosts === BigInt(b) / hosts;
};

it.each(['-s', '-d'])('that want another network with %s are not', (option) => {
  fc.assert(
    fc.property(fc.array(network, { minLength: 1 }), network, (all, other) => {
      const near = areNear(
        all.map((each) => `${option} ${spell(each)}`),
        `${option} ${spell(other)}`,
      );
      expect(near).toEqual(all.map((each) => overlap(each, other)));
    }),
  );
});

it.each([
  ['-m cgroup --id 4294967295', '-m cgroup --id 4294967294', false],
  ['-m cgroup --id 1:4294967295', '-m cgroup --id 4294967294', true],
  ['-p tcp -m tcp --dport 80', '-p tcp -m tcp --dport 70:79', false],
  ['-p tcp', '-p udp', false],
  ['! -d 1.2.3.4/32', '-d 4.3.2.1/32', true],
  ['-m comment --comment " -p tcp "', '-p udp', true],
])('%s and %s: %s', (option, other, isNear) => {
  expect(areNear([option], other)).toEqual([isNear]);
});
