/** A call from what nodes ask of it. */
import { fieldOf, type Piece, pieceValues } from '@sockfilter/diagram';
import { type BuiltinChain, type Family, type Packet, PROTOCOL } from '@sockfilter/table';
import type { AskedPieces } from './samenodes.js';

const ANY_CALL: Omit<Packet, 'chain'> = {
  group: 0,
  family: 4,
  protocol: PROTOCOL.tcp,
  source: 0n,
  destination: 0n,
  sourcePort: 0,
  destinationPort: 0,
  flags: 0,
  uid: 0,
  gid: 0,
  mark: 0,
};

/** A call of the chain that is asked so; of what nobody asks it has nothing. */
export function callOf(chain: BuiltinChain, asked: AskedPieces): Packet {
  const values = pieceValues({ ...ANY_CALL, chain });
  for (const [slot, value] of asked) values[slot] = value;
  const small = (field: Piece['field']) => Number(fieldOf(values, field));
  const family: Family = small('family') === 6 ? 6 : 4;
  return {
    chain,
    family,
    group: small('group'),
    protocol: small('protocol'),
    source: fieldOf(values, 'source'),
    destination: fieldOf(values, 'destination'),
    sourcePort: small('sourcePort'),
    destinationPort: small('destinationPort'),
    flags: small('flags'),
    uid: small('uid'),
    gid: small('gid'),
    mark: small('mark'),
    netns: fieldOf(values, 'netns'),
    device: fieldOf(values, 'device'),
    comm: fieldOf(values, 'comm'),
    chance: small('chance'),
    persistence: small('persistence'),
  };
}
