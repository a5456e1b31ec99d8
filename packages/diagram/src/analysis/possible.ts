/**
 * The well-formed region as a set. It is read off the chains' rows and impossible(), which is asked
 * for each chain, family and protocol, of a packet that has low values everywhere else.
 */
import {
  BOUNDED_FIELDS,
  BUILTIN_CHAINS,
  type BuiltinChain,
  boundOf,
  type Clause,
  chainNumber,
  contains,
  FAMILIES,
  type Family,
  FIELD_BITS,
  type Field,
  flagsOf,
  impossible,
  type Packet,
  type ValueSet,
  valueSet,
} from '@sockfilter/table';
import type { Ref } from '../store.js';
import { IN, type SetStore } from './setstore.js';

const PROTOCOLS = Array.from({ length: 1 << FIELD_BITS.protocol }, (_, protocol) => protocol);
const be = (field: Field, set: ValueSet): Clause => [{ field, set, negated: false }];

function clausesOf(chain: BuiltinChain, family: Family, protocol: number): Clause[] | undefined {
  const protocols = boundOf(chain, 'protocol');
  if (protocols && !contains(protocols.set, BigInt(protocol))) return undefined;
  const plain: Packet = {
    chain,
    group: 0,
    family,
    protocol,
    source: 0n,
    destination: 1n,
    sourcePort: 0,
    destinationPort: 0,
    flags: flagsOf(chain, protocol),
    uid: 0,
    gid: 0,
    mark: 0,
  };
  if (impossible(plain) !== undefined) return undefined;
  const clauses = [
    be('chain', valueSet(chainNumber(chain))),
    be('family', valueSet(family)),
    be('protocol', valueSet(protocol)),
    be('flags', valueSet(plain.flags)),
  ];
  for (const field of BOUNDED_FIELDS) {
    const bound = field === 'protocol' ? undefined : boundOf(chain, field);
    if (bound) clauses.push(be(field, bound.set));
  }
  if (impossible({ ...plain, destinationPort: 1 }) !== undefined)
    clauses.push(be('sourcePort', valueSet(0)), be('destinationPort', valueSet(0)));
  return clauses;
}

/** The packets for which impossible() has nothing to say. */
export function possibleRef(store: SetStore): Ref {
  const parts = BUILTIN_CHAINS.flatMap((chain) =>
    FAMILIES.flatMap((family) =>
      PROTOCOLS.flatMap((protocol) => {
        const clauses = clausesOf(chain, family, protocol);
        return clauses ? [store.conditions.compile(clauses, IN)] : [];
      }),
    ),
  );
  return store.overlayAll(parts, store.union);
}
