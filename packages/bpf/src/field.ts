import {
  type Btf,
  type BtfType,
  findNamed,
  hasName,
  isAggregate,
  KIND,
  nameBytes,
  underlying,
  word,
} from './btf.js';

interface Member {
  /** Where its name is. */
  readonly name: number;
  readonly type: number;
  readonly bitOffset: number;
  /** 0 for what is not a bit-field. */
  readonly bits: number;
}

function* members(btf: Btf, owner: BtfType): Generator<Member> {
  for (let index = 0; index < owner.vlen; index += 1) {
    const at = owner.extra + 3 * index;
    const place = word(btf, at + 2);
    yield {
      name: word(btf, at),
      type: word(btf, at + 1),
      bitOffset: owner.kindFlag ? place & 0xffffff : place,
      bits: owner.kindFlag ? place >>> 24 : 0,
    };
  }
}

/** A member by name, also inside anonymous structs and unions, as C finds it. */
function findMember(btf: Btf, owner: BtfType, name: Buffer): Member | undefined {
  for (const member of members(btf, owner)) {
    if (hasName(btf, member.name, name)) return member;
    if (btf.strings[member.name] !== 0) continue;
    const inner = underlying(btf, member.type);
    const found = inner && isAggregate(inner) ? findMember(btf, inner, name) : undefined;
    if (found !== undefined) return { ...found, bitOffset: member.bitOffset + found.bitOffset };
  }
  return undefined;
}

const POINTER_SIZE = 8;

/** Bytes of a type; undefined for one without a size (void, functions). */
function sizeOf(btf: Btf, id: number): number | undefined {
  const type = underlying(btf, id);
  switch (type?.kind) {
    case KIND.int:
    case KIND.struct:
    case KIND.union:
    case KIND.enum:
    case KIND.float:
    case KIND.enum64:
      return type.sizeOrType;
    case KIND.ptr:
      return POINTER_SIZE;
    case KIND.array: {
      const each = sizeOf(btf, word(btf, type.extra));
      return each === undefined ? undefined : each * word(btf, type.extra + 2);
    }
    default:
      return undefined;
  }
}

/** A field's place in its struct, in bytes; `size` is 0 for a flexible array. */
export interface Field {
  readonly offset: number;
  readonly size: number;
}

interface Place {
  readonly walked: string;
  readonly type: number;
  readonly bitOffset: number;
  /** 0 for what is not a bit-field. */
  readonly bits: number;
}

function findPlace(btf: Btf, struct: string, path: string): Place {
  let owner = findNamed(btf, struct);
  if (owner === undefined) throw new Error(`this kernel's BTF has no struct \`${struct}\``);
  let place: Place = { walked: struct, type: owner.id, bitOffset: 0, bits: 0 };
  for (const name of path.split('.')) {
    if (owner === undefined || !isAggregate(owner)) {
      const reason = owner?.kind === KIND.ptr ? 'is a pointer' : 'is no struct';
      throw new Error(`\`${place.walked}\` ${reason}: it has no member \`${name}\``);
    }
    const member = findMember(btf, owner, nameBytes(name));
    if (member === undefined) throw new Error(`\`${place.walked}\` has no member \`${name}\``);
    const { type, bits } = member;
    const bitOffset = place.bitOffset + member.bitOffset;
    place = { walked: `${place.walked}.${name}`, type, bitOffset, bits };
    owner = underlying(btf, type);
  }
  return place;
}

/**
 * Finds a field by struct name and dotted path: `findField(btf, 'sock', 'sk_cgrp_data.cgroup')`.
 *
 * The path goes through members that are structs or unions, not through pointers. Throws Error, naming
 * the part, for a struct or a member that this kernel does not have, and for bit-fields.
 */
export function findField(btf: Btf, struct: string, path: string): Field {
  const { walked, type, bitOffset, bits } = findPlace(btf, struct, path);
  if (bits !== 0 || bitOffset % 8 !== 0)
    throw new Error(`\`${walked}\` is a bit-field: it has no byte offset`);
  return { offset: bitOffset / 8, size: sizeOf(btf, type) ?? 0 };
}

/** One bit in a struct: the byte that has it, and the byte's mask. */
export interface Flag {
  readonly offset: number;
  readonly mask: number;
}

/**
 * Finds bit `bit` of a field, which may be a bit-field; the field is found as `findField` finds it.
 * Of little-endian machines, where bits are numbered from the least on, in each byte and over bytes.
 * Throws as `findField` does, and for a bit that a bit-field does not have.
 */
export function findFlag(btf: Btf, struct: string, path: string, bit: number): Flag {
  const { walked, bitOffset, bits } = findPlace(btf, struct, path);
  if (bits !== 0 && bit >= bits)
    throw new Error(`\`${walked}\` has ${bits} bits, so no bit ${bit}`);
  const at = bitOffset + bit;
  return { offset: at >> 3, mask: 1 << (at & 7) };
}

/** The byte offset of a field: `findField` without the size. */
export const fieldOffset = (btf: Btf, struct: string, path: string): number =>
  findField(btf, struct, path).offset;

/** Whether a struct has a member of that name; false if there is no such struct either. */
export function hasField(btf: Btf, struct: string, name: string): boolean {
  const owner = findNamed(btf, struct);
  return owner !== undefined && findMember(btf, owner, nameBytes(name)) !== undefined;
}

/** The size of a struct in bytes. Throws Error if this kernel does not have it. */
export function structSize(btf: Btf, struct: string): number {
  const type = findNamed(btf, struct);
  if (type === undefined) throw new Error(`this kernel's BTF has no struct \`${struct}\``);
  return type.sizeOrType;
}
