/**
 * The BTF of a program with global functions: the verifier looks at such a function once, by the types of
 * its parameters alone, and not for each of its calls. Linux 5.6. See btf.ts for the layout.
 */
import { KIND } from './btf.js';
import type { Item } from './instruction.js';

/**
 * A number; a pointer to so many bytes, which may be NULL to the function; or what the program itself is given,
 * by the name of its structure in linux/bpf.h.
 */
export type Parameter =
  | 'number'
  | { readonly bytes: number }
  | { readonly context: 'bpf_sock_addr' | 'bpf_sock' | '__sk_buff' | 'bpf_sockopt' };

/** A function that a program calls by `callLabel(name)`; it gives a number of 32 bits, signed. */
export interface GlobalFunction {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly items: readonly Item[];
}

const HEADER_BYTES = 24;
const MAGIC = 0xeb9f;
const STATIC = 0;
const GLOBAL = 1;
const SIGNED = 1 << 24;

class Types {
  readonly words: number[] = [];
  #strings = '\0';
  #count = 0;

  get strings(): Uint8Array {
    return Buffer.from(this.#strings, 'latin1');
  }

  name(text: string): number {
    const at = this.#strings.length;
    this.#strings += `${text}\0`;
    return at;
  }

  /** Adds a type and gives its number; `third` is its size, or the type that it leads to. */
  add(kind: number, vlen: number, name: number, third: number, ...rest: readonly number[]): number {
    this.words.push(name, ((kind << 24) | vlen) >>> 0, third, ...rest);
    return ++this.#count;
  }
}

/** A structure of so many bytes, as words of the type. */
function words(types: Types, int: number, bytes: number): number {
  const array = types.add(KIND.array, 0, 0, 0, int, int, bytes / 4);
  const member = [types.name('words'), array, 0] as const;
  return types.add(KIND.struct, 1, types.name(`bytes${bytes}`), bytes, ...member);
}

function typesOf(main: string, functions: readonly GlobalFunction[]) {
  const types = new Types();
  const int = types.add(KIND.int, 0, types.name('int'), 4, SIGNED | 32);
  const long = types.add(KIND.int, 0, types.name('long'), 8, SIGNED | 64);
  const pointerTo = (bytes: number) => {
    return types.add(KIND.ptr, 0, 0, words(types, int, bytes));
  };
  const contextOf = (context: string) =>
    types.add(KIND.ptr, 0, 0, types.add(KIND.struct, 0, types.name(context), 0));
  const typeOf = (parameter: Parameter) => {
    if (parameter === 'number') return long;
    return 'bytes' in parameter ? pointerTo(parameter.bytes) : contextOf(parameter.context);
  };
  const define = (name: string, parameters: readonly Parameter[], linkage: number) => {
    const each = parameters.map(typeOf);
    const list = each.flatMap((type, n) => [types.name(`p${n}`), type]);
    const prototype = types.add(KIND.funcProto, each.length, 0, int, ...list);
    return types.add(KIND.func, linkage, types.name(name), prototype);
  };
  const ids = [
    define(main, ['number'], STATIC),
    ...functions.map(({ name, parameters }) => define(name, parameters, GLOBAL)),
  ];
  return { types, ids };
}

export interface FunctionTypes {
  /** What BPF_BTF_LOAD takes. */
  readonly btf: Uint8Array;
  /** The type of the program itself, then that of each function. */
  readonly ids: readonly number[];
}

/** The types of a program, whose own name is `main`, and of its functions. Names are C's. */
export function functionTypes(main: string, functions: readonly GlobalFunction[]): FunctionTypes {
  const { types, ids } = typesOf(main, functions);
  return { btf: encode(types), ids };
}

/** What BPF_BTF_LOAD takes. */
function encode({ words, strings }: Types): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 4 * words.length + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, MAGIC, true);
  view.setUint8(2, 1);
  [HEADER_BYTES, 0, 4 * words.length, 4 * words.length, strings.length].forEach((value, n) => {
    view.setUint32(4 + 4 * n, value, true);
  });
  words.forEach((word, n) => {
    view.setUint32(HEADER_BYTES + 4 * n, word, true);
  });
  bytes.set(strings, HEADER_BYTES + 4 * words.length);
  return bytes;
}

/** The types of the keys and values of a map. */
export interface MapTypes {
  readonly btf: Uint8Array;
  readonly key: number;
  readonly value: number;
}

/** The types of a map whose keys are numbers and whose values are so many bytes, a multiple of 4. */
export function storageTypes(bytes: number): MapTypes {
  const types = new Types();
  const key = types.add(KIND.int, 0, types.name('int'), 4, SIGNED | 32);
  return { key, value: words(types, key, bytes), btf: encode(types) };
}

/** Those of a map whose keys are so many bytes, and whose values are a lock and so many bytes with it. */
export function lockedTypes(keyBytes: number, valueBytes: number): MapTypes {
  const types = new Types();
  const int = types.add(KIND.int, 0, types.name('int'), 4, SIGNED | 32);
  const key = words(types, int, keyBytes);
  const inLock = [types.name('val'), int, 0] as const;
  const lock = types.add(KIND.struct, 1, types.name('bpf_spin_lock'), 4, ...inLock);
  const array = types.add(KIND.array, 0, 0, 0, int, int, valueBytes / 4 - 1);
  const members = [types.name('lock'), lock, 0, types.name('words'), array, 32] as const;
  const value = types.add(KIND.struct, 2, types.name('locked'), valueBytes, ...members);
  return { key, value, btf: encode(types) };
}
