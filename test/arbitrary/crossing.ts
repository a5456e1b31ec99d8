/** Tables whose rules cross: some name sources, some destinations, some both, and chains call each other. */
import type { Table } from '@sockfilter/table';
import fc, { type Arbitrary } from 'fast-check';
import { tableOf } from '../harness/policy.js';

const byte = fc.integer({ min: 0, max: 6 });
const network = fc
  .tuple(byte, byte, fc.constantFrom(8, 15, 24, 31, 32))
  .map(([high, low, bits]) => `10.${high}.7.${low}/${bits}`);
const wide = fc.constantFrom('2001:db8::/32', '2001:db8:7::/48', '2001:db8:7::9');

const end = (option: string) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant('') },
    { weight: 4, arbitrary: network.map((text) => `${option} ${text}`) },
    { weight: 1, arbitrary: wide.map((text) => `${option} ${text}`) },
    { weight: 1, arbitrary: network.map((text) => `! ${option} ${text}`) },
  );

const CHAINS = ['CONNECT', 'SENDTO', 'one', 'two'];

/** Each chain calls later ones. */
const target = (chain: string) => {
  const later = ['one', 'two'].filter((name) => CHAINS.indexOf(name) > CHAINS.indexOf(chain));
  const calls = later.flatMap((name) => [`-j ${name}`, `-g ${name}`]);
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('-j ACCEPT', '-j DROP', '-j REJECT') },
    { weight: 1, arbitrary: fc.constantFrom('', '-j LOG', '-j RETURN', ...calls) },
  );
};

const rule = fc
  .constantFrom('CONNECT', 'CONNECT', ...CHAINS)
  .chain((chain) =>
    fc
      .tuple(
        end('-s'),
        end('-d'),
        fc.constantFrom('', '', '-p udp --dport 80', '-p udp --dport 53:90', '-m cgroup --id 3'),
        target(chain),
      )
      .map((words) => `-A ${chain} ${words.filter(Boolean).join(' ')}`),
  );

const bothFamilies = /-[sd] 10\..*-[sd] 2001:|-[sd] 2001:.*-[sd] 10\./;

export function crossingTables(rules: number): Arbitrary<Table> {
  return fc
    .tuple(
      fc.array(rule, { minLength: rules / 2, maxLength: rules }),
      fc.constantFrom('-P CONNECT ACCEPT', '-P CONNECT DROP'),
    )
    .map(([lines, policy]) => {
      const sound = lines.filter((line) => !bothFamilies.test(line));
      return tableOf(['-N one', '-N two', policy, ...sound].join('\n'));
    });
}
