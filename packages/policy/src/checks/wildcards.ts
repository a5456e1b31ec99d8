/** BIND that refuses an address and leaves a wildcard that serves it open. */
import {
  type Box,
  intersect,
  isEmpty,
  type PacketSet,
  project,
  union,
  witness,
} from '@sockfilter/diagram';
import { chainNumber, type Family, type Field, type Packet } from '@sockfilter/table';
import { allAddresses } from '../address.js';
import { type Check, type CheckContext, chainSet } from '../context.js';
import { ownerNote } from '../rulefile.js';

/** What a bind of the wildcard and one of an address have in common. */
const SAME: readonly Field[] = [
  'chain',
  'group',
  'protocol',
  'destinationPort',
  'uid',
  'gid',
  'mark',
];

function bindTo(family: Family, addresses: readonly [bigint, bigint]): Box {
  const chain = BigInt(chainNumber('BIND'));
  return {
    chain: [[chain, chain]],
    family: [[BigInt(family), BigInt(family)]],
    destination: [addresses],
  };
}

/** The wildcard that takes calls for an address of the family, open for the same caller and port. */
function openWildcard(context: CheckContext, { family, ...rest }: Packet): Packet | undefined {
  const wildcards: readonly Family[] = family === 4 ? [4, 6] : [6];
  for (const version of wildcards) {
    const packet: Packet = { ...rest, family: version, source: 0n, destination: 0n };
    if (context.tracer.decide(packet).errno === 0) return packet;
  }
  return undefined;
}

export const findOpenWildcards: Check = function* (context) {
  const { file, loaded, universe } = context;
  const binds = chainSet(universe, 'BIND');
  const refused = intersect(context.refused, binds);
  if (isEmpty(refused)) return;
  const specific = (family: Family) => universe.box(bindTo(family, [1n, allAddresses(family)[1]]));
  const open = (family: Family): PacketSet =>
    project(intersect(context.accepted, universe.box(bindTo(family, [0n, 0n]))), SAME);
  const six = open(6);
  const exposed = union(
    intersect(intersect(refused, specific(4)), union(open(4), six)),
    intersect(intersect(refused, specific(6)), six),
  );
  if (isEmpty(exposed)) return;
  for (const counter of loaded.deciders(exposed)) {
    const owner = loaded.ownerOf(counter);
    const packet = witness(intersect(exposed, loaded.decidedBy(counter)));
    const wildcard = packet && openWildcard(context, packet);
    const call = wildcard && context.witness(wildcard);
    const opener = wildcard && context.tracer.decide(wildcard).decider;
    const notes = opener ? [ownerNote(file, opener, '', ` accepts ${call?.call}`)] : [];
    const name = wildcard?.family === 6 ? '::' : '0.0.0.0';
    yield context.find('SF010', {
      place: file.placeOf(owner.rule ?? owner.chain),
      message: `addresses are refused here, and a bind to \`${name}\` that serves them is accepted`,
      notes,
      packet,
      fix: 'refuse `0.0.0.0` and `::` too: `-A BIND -d 0.0.0.0 ... -j DROP`, `-A BIND -d :: ... -j DROP`',
    });
  }
};
