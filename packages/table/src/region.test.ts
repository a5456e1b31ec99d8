import type { BuiltinChain } from './chains.js';
import { DETAIL_NAMES } from './details.js';
import { LUCKS } from './luck.js';
import { FIELD_BITS, fieldValue, type Packet } from './packet.js';
import { flagsOf, impossible, reachedDestination } from './region.js';

/** A packet that can happen in the chain, with some of it changed. */
function packet(chain: BuiltinChain, changed: Partial<Packet> = {}): Packet {
  const protocol = changed.protocol ?? (chain === 'SENDTO' || chain === 'RECVFROM' ? 17 : 6);
  const bound = chain !== 'BIND';
  return {
    chain,
    group: 0,
    family: 4,
    protocol,
    source: bound ? 0x7f000001n : 0n,
    destination: 0x7f000001n,
    sourcePort: bound ? 5000 : 0,
    destinationPort: 80,
    flags: flagsOf(chain, protocol),
    uid: 0,
    gid: 0,
    mark: 0,
    ...changed,
  };
}

const ping = { protocol: 1, sourcePort: 0, destinationPort: 0 };

test.each<[BuiltinChain, Partial<Packet>, string | undefined]>([
  ['BIND', {}, undefined],
  ['BIND', { protocol: 17 }, undefined],
  ['BIND', { protocol: 136, family: 6, destination: 1n }, undefined],
  ['BIND', { source: 1n }, 'bind(2) has no source'],
  ['BIND', { sourcePort: 1 }, 'bind(2) has no source'],
  ['BIND', ping, 'BIND has no protocol 1'],
  ['BIND', { flags: 2 }, 'the flags of such a packet are 0'],
  ['ACCEPT', {}, undefined],
  ['ACCEPT', { protocol: 17 }, 'ACCEPT has no protocol 17: it sees tcp only'],
  ['ACCEPT', { flags: 0 }, 'the flags of such a packet are 2'],
  ['CONNECT', {}, undefined],
  ['CONNECT', { source: 0n, sourcePort: 0 }, undefined],
  ['CONNECT', { protocol: 17 }, undefined],
  ['CONNECT', { protocol: 17, flags: 2 }, 'the flags of such a packet are 0'],
  ['CONNECT', { flags: 0x12 }, 'the flags of such a packet are 2'],
  ['CONNECT', ping, undefined],
  ['CONNECT', { ...ping, destinationPort: 1 }, 'icmp has no ports'],
  ['CONNECT', { ...ping, family: 6 }, 'protocol 1 does not run over IPv6'],
  ['CONNECT', { ...ping, protocol: 58, family: 6 }, undefined],
  ['CONNECT', { ...ping, protocol: 58 }, 'protocol 58 does not run over IPv4'],
  ['CONNECT', { protocol: 132 }, 'CONNECT has no protocol 132'],
  ['CONNECT', { destination: 1n << 32n }, 'the address is too wide'],
  ['CONNECT', { family: 6, destination: 1n << 32n }, undefined],
  ['CONNECT', { family: 6, source: 1n << 128n }, 'the address is too wide'],
  ['SENDTO', {}, undefined],
  ['SENDTO', { protocol: 136 }, undefined],
  ['SENDTO', { protocol: 6 }, 'SENDTO has no protocol 6'],
  ['RECVFROM', {}, undefined],
  ['RECVFROM', ping, 'RECVFROM has no protocol 1'],
])('%s %o', (chain, changed, reason) => {
  const said = impossible(packet(chain, changed));
  if (reason === undefined) expect(said).toBeUndefined();
  else expect(said).toContain(reason);
});

test('every field has a width', () => {
  const fields = [...Object.keys(packet('BIND')), ...DETAIL_NAMES, ...LUCKS];
  expect(Object.keys(FIELD_BITS).toSorted()).toEqual(fields.toSorted());
});

test('fields as numbers', () => {
  expect(fieldValue(packet('RECVFROM'), 'chain')).toBe(4n);
  expect(fieldValue(packet('BIND', { group: 2 ** 32 - 1 }), 'group')).toBe(0xffffffffn);
});

test.each<[BuiltinChain, 4 | 6, source: bigint, asked: bigint, reached: bigint]>([
  ['CONNECT', 4, 5n, 7n, 7n],
  ['CONNECT', 4, 5n, 0n, 5n],
  ['SENDTO', 4, 0n, 0n, 0x7f00_0001n],
  ['CONNECT', 6, 5n, 0n, 1n],
  ['SENDTO', 6, 0n, 0n, 1n],
  // A wildcard is an address of its own.
  ['BIND', 4, 0n, 0n, 0n],
])('%s of IPv%i from %i to %i reaches %i', (chain, family, source, asked, reached) => {
  expect(reachedDestination(chain, family, source, asked)).toBe(reached);
});
