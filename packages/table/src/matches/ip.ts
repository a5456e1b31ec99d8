import { chainsThat } from '../chains.js';
import { ANYTHING, type Clause } from '../clause.js';
import { defineDetail, defineOption, type MatchDescriptor } from '../match.js';
import type { Field } from '../packet.js';
import type { ValueOf } from '../value.js';
import { type ValueSet, valueSet } from '../valueset.js';

/** A network as a set of addresses. */
export function networkSet({ address, mask }: ValueOf<'network'>): ValueSet {
  return { kind: 'masked', value: address, mask };
}

/** The addresses of a network of family 4, if its mask has no holes. */
function plainNetwork(field: Field, { family, address, mask }: ValueOf<'network'>) {
  if (family !== 4) return undefined;
  const open = 2 ** 32 - 1 - Number(mask);
  if ((open & (open + 1)) !== 0) return undefined;
  const from = Number(address);
  return { field, family, from, to: from + open };
}

const address = (field: Field) =>
  defineOption(
    'network',
    (network, negated): readonly Clause[] => [
      [{ field: 'family', set: valueSet(network.family), negated: false }],
      [{ field, set: networkSet(network), negated }],
    ],
    { plain: (network) => plainNetwork(field, network) },
  );

const family = (version: 4 | 6) =>
  defineOption('none', () => [[{ field: 'family', set: valueSet(version), negated: false }]], {
    negatable: false,
  });

const OUTWARD = 'the call goes out: its device is `-o`';
const INWARD = 'the device is where calls come in: `-i`';

/** The options that stand in a rule without `-m`. */
export const ip: MatchDescriptor = {
  name: 'ip',
  needsOption: true,
  exclusive: [['ipv4', 'ipv6']],
  options: {
    ipv4: family(4),
    ipv6: family(6),
    source: address('source'),
    destination: address('destination'),
    'in-interface': defineDetail(
      'device',
      chainsThat(({ ours }) => (ours === 'source' ? OUTWARD : undefined)),
    ),
    'out-interface': defineDetail(
      'device',
      chainsThat(({ ours }) => (ours === 'source' ? undefined : INWARD)),
    ),
    protocol: defineOption(
      'protocol',
      ({ protocol }, negated) =>
        protocol === 0 ? [] : [[{ field: 'protocol', set: valueSet(protocol), negated }]],
      {
        plain: ({ protocol }) =>
          protocol === 0
            ? ANYTHING
            : { field: 'protocol', family: undefined, from: protocol, to: protocol },
      },
    ),
  },
};
