// BTF, the kernel's description of its own types (Documentation/bpf/btf.rst, linux/btf.h):
//
//   header  magic u16, version u8, flags u8, header length u32, then offset and length of the types and
//           offset and length of the strings, u32 each; offsets count from the header's end
//   types   one after the other, numbered from 1 (0 is void): name u32, info u32, size or type u32, then
//           what the kind adds; info is vlen in bits 0-15, kind in bits 24-28, kind_flag in bit 31
//   strings NUL-terminated, named by their offset
//
// A kernel has some 100,000 types. One pass notes where each starts; nothing else is decoded until it is
// asked for. Positions below are counted in 32-bit words of the type section.

const MAGIC = 0xeb9f;

/** Kinds of types, BTF_KIND_*. */
export const KIND = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  funcProto: 13,
  var: 14,
  datasec: 15,
  float: 16,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

/** Words after the three that every type has: a constant, and as many again for each of vlen. */
const EXTRA: ReadonlyMap<number, { readonly fixed: number; readonly each: number }> = new Map([
  [KIND.int, { fixed: 1, each: 0 }],
  [KIND.ptr, { fixed: 0, each: 0 }],
  [KIND.array, { fixed: 3, each: 0 }],
  [KIND.struct, { fixed: 0, each: 3 }],
  [KIND.union, { fixed: 0, each: 3 }],
  [KIND.enum, { fixed: 0, each: 2 }],
  [KIND.fwd, { fixed: 0, each: 0 }],
  [KIND.typedef, { fixed: 0, each: 0 }],
  [KIND.volatile, { fixed: 0, each: 0 }],
  [KIND.const, { fixed: 0, each: 0 }],
  [KIND.restrict, { fixed: 0, each: 0 }],
  [KIND.func, { fixed: 0, each: 0 }],
  [KIND.funcProto, { fixed: 0, each: 2 }],
  [KIND.var, { fixed: 1, each: 0 }],
  [KIND.datasec, { fixed: 0, each: 3 }],
  [KIND.float, { fixed: 0, each: 0 }],
  [KIND.declTag, { fixed: 1, each: 0 }],
  [KIND.typeTag, { fixed: 0, each: 0 }],
  [KIND.enum64, { fixed: 0, each: 3 }],
]);

/** The same by the number of the kind, for the pass over all types; a kind that is not known has none. */
const UNKNOWN = 0xff;
const FIXED_EXTRA = new Uint8Array(32).fill(UNKNOWN);
const EACH_EXTRA = new Uint8Array(32);
for (const [kind, { fixed, each }] of EXTRA) {
  FIXED_EXTRA[kind] = fixed;
  EACH_EXTRA[kind] = each;
}

/** A type as it stands: `words` are those of its own description. */
export interface BtfType {
  readonly id: number;
  readonly kind: number;
  readonly kindFlag: boolean;
  readonly vlen: number;
  readonly nameOffset: number;
  /** The size in bytes, or the id of the type referred to, as the kind says. */
  readonly sizeOrType: number;
  /** Where the words that its kind adds begin. */
  readonly extra: number;
}

export interface Btf {
  readonly words: Uint32Array;
  readonly strings: Buffer;
  /** The position of each type by its id; entry 0 is unused. */
  readonly positions: Uint32Array;
  /** The ids of structs, unions and typedefs, what a path can start from, and the offsets of their names. */
  readonly named: Uint32Array;
  readonly names: Uint32Array;
}

/** The words of some bytes; a copy of them where they are not aligned. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(buffer, byteOffset, length / 4);
}

/** Indexes BTF data; throws Error if it is not BTF of version 1, or holds a kind that is not known. */
export function parseBtf(data: Uint8Array): Btf {
  if (data.length < 24) throw new Error('not BTF: shorter than its header');
  const header = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (header.getUint16(0, true) !== MAGIC) throw new Error('not BTF: wrong magic number');
  if (header.getUint8(2) !== 1) throw new Error(`BTF version ${header.getUint8(2)} is not known`);
  const base = header.getUint32(4, true);
  const typesAt = base + header.getUint32(8, true);
  const typesLength = header.getUint32(12, true);
  const stringsAt = base + header.getUint32(16, true);
  const stringsEnd = stringsAt + header.getUint32(20, true);
  if (typesAt + typesLength > data.length || stringsEnd > data.length || typesLength % 4 !== 0) {
    throw new Error('BTF is cut short');
  }
  const words = wordsOf(data.subarray(typesAt, typesAt + typesLength));
  const strings = Buffer.from(data.buffer, data.byteOffset + stringsAt, stringsEnd - stringsAt);

  // No type is shorter than three words.
  const positions = new Uint32Array(Math.ceil(words.length / 3) + 1);
  const named: number[] = [];
  let id = 1;
  for (let at = 0; at < words.length; id += 1) {
    const info = words[at + 1] ?? 0;
    const kind = (info >>> 24) & 0x1f;
    const fixed = FIXED_EXTRA[kind] ?? UNKNOWN;
    if (fixed === UNKNOWN) throw new Error(`BTF type ${id} is of kind ${kind}, which is not known`);
    positions[id] = at;
    if (kind === KIND.struct || kind === KIND.union || kind === KIND.typedef) named.push(id);
    at += 3 + fixed + (EACH_EXTRA[kind] ?? 0) * (info & 0xffff);
    if (at > words.length) throw new Error('BTF is cut short');
  }
  return {
    words,
    strings,
    positions: positions.subarray(0, id),
    named: Uint32Array.from(named),
    names: Uint32Array.from(named, (each) => words[positions[each] ?? 0] ?? 0),
  };
}

/** A word of the type section. */
export function word(btf: Btf, at: number): number {
  const value = btf.words[at];
  if (value === undefined) throw new Error('BTF is cut short');
  return value;
}

/** A type by its id; undefined for void and for ids out of range. */
function typeById(btf: Btf, id: number): BtfType | undefined {
  const at = btf.positions[id];
  if (id === 0 || at === undefined) return undefined;
  const info = word(btf, at + 1);
  return {
    id,
    kind: (info >>> 24) & 0x1f,
    kindFlag: info >>> 31 === 1,
    vlen: info & 0xffff,
    nameOffset: word(btf, at),
    sizeOrType: word(btf, at + 2),
    extra: at + 3,
  };
}

/** Whether a type has members. */
export const isAggregate = ({ kind }: BtfType): boolean =>
  kind === KIND.struct || kind === KIND.union;

const TRANSPARENT: ReadonlySet<number> = new Set([
  KIND.typedef,
  KIND.volatile,
  KIND.const,
  KIND.restrict,
  KIND.typeTag,
]);

/** The type behind typedefs and qualifiers; undefined for void. */
export function underlying(btf: Btf, id: number): BtfType | undefined {
  let type = typeById(btf, id);
  for (let seen = 0; type !== undefined && TRANSPARENT.has(type.kind); seen += 1) {
    if (seen > btf.positions.length) throw new Error(`BTF type ${id} is of itself`);
    type = typeById(btf, type.sizeOrType);
  }
  return type;
}

/** A name as it stands in the string section: compared with that, it decodes none. */
export const nameBytes = (name: string): Buffer => Buffer.from(`${name}\0`, 'latin1');

/** Whether the string at an offset is this one. */
export const hasName = ({ strings }: Btf, offset: number, wanted: Buffer): boolean =>
  strings[offset] === wanted[0] &&
  strings.compare(wanted, 0, wanted.length, offset, offset + wanted.length) === 0;

/** The id of the kernel's function with the name; undefined if it has none. */
export function functionId(btf: Btf, name: string): number | undefined {
  const wanted = nameBytes(name);
  const id = btf.positions.findIndex((at, number) => {
    if (number === 0 || ((word(btf, at + 1) >>> 24) & 0x1f) !== KIND.func) return false;
    return hasName(btf, word(btf, at), wanted);
  });
  return id < 0 ? undefined : id;
}

/** What has been looked for: of a few structs each field is asked for. */
const found = new WeakMap<Btf, Map<string, BtfType | undefined>>();

/** A struct or union by its name, or by that of a typedef of one; undefined if there is none. */
export function findNamed(btf: Btf, name: string): BtfType | undefined {
  const known = found.get(btf) ?? new Map<string, BtfType | undefined>();
  found.set(btf, known);
  if (!known.has(name)) known.set(name, searchNamed(btf, name));
  return known.get(name);
}

function searchNamed(btf: Btf, name: string): BtfType | undefined {
  // The first fit in the file is the kernel's own.
  const { strings, names } = btf;
  const wanted = nameBytes(name);
  const [first, second] = wanted;
  let alias: BtfType | undefined;
  for (let n = 0; n < names.length; n++) {
    const at = names[n] ?? 0;
    if (strings[at] !== first || strings[at + 1] !== second) continue;
    if (strings.compare(wanted, 0, wanted.length, at, at + wanted.length) !== 0) continue;
    const id = btf.named[n] ?? 0;
    const type = underlying(btf, id);
    if (type === undefined || !isAggregate(type)) continue;
    if (type.id === id) return type;
    alias ??= type;
  }
  return alias;
}
