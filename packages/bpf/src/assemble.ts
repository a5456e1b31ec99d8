// Bytes from items. Two passes: the first gives each label its slot, the second writes. A slot is 8
// bytes; loadImm64 and loadMap take two. Distances count from the slot after the instruction.

import {
  CALL,
  CLASS,
  type Item,
  LOAD_IMM64,
  type MapRef,
  PSEUDO,
  type Register,
} from './instruction.js';

/** Bytes of one instruction slot. */
export const SLOT = 8;

const slots = (item: Item): number => {
  if (item.kind === 'label') return 0;
  return item.kind === 'loadImm64' || item.kind === 'loadMap' ? 2 : 1;
};

const registerNumber = (register: Register): number => Number(register.slice(1));

/** The slot of each label. */
export function placeLabels(items: readonly Item[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  let slot = 0;
  for (const item of items) {
    if (item.kind === 'label') {
      if (places.has(item.name)) throw new Error(`label \`${item.name}\` is defined twice`);
      places.set(item.name, slot);
    }
    slot += slots(item);
  }
  return places;
}

function noMaps(name: string): number {
  throw new Error(`no descriptor for map \`${name}\``);
}

/**
 * Encodes a program, little-endian, 8 bytes a slot.
 *
 * `resolve` gives the descriptor of a map by its name. Throws Error for a label that is unknown or
 * defined twice and for a jump further than 32767 slots, naming the label.
 */
export function assemble(
  items: readonly Item[],
  resolve: (map: string) => number = noMaps,
): Uint8Array {
  const places = placeLabels(items);
  const bytes = new Uint8Array(SLOT * items.reduce((sum, item) => sum + slots(item), 0));
  const view = new DataView(bytes.buffer);
  let slot = 0;

  const write = (opcode: number, dst: number, src: number, offset: number, imm: number): void => {
    const at = slot * SLOT;
    view.setUint8(at, opcode);
    view.setUint8(at + 1, (src << 4) | dst);
    view.setInt16(at + 2, offset, true);
    view.setInt32(at + 4, imm, true);
    slot += 1;
  };
  const distance = (label: string): number => {
    const place = places.get(label);
    if (place === undefined) throw new Error(`label \`${label}\` is not defined`);
    return place - (slot + 1);
  };
  const descriptor = (map: MapRef): number => (typeof map === 'string' ? resolve(map) : map.fd);

  for (const item of items) {
    switch (item.kind) {
      case 'label':
        break;
      case 'plain':
        write(
          item.opcode,
          registerNumber(item.dst),
          registerNumber(item.src),
          item.offset,
          item.imm,
        );
        break;
      case 'jump': {
        const offset = distance(item.label);
        if (offset < -32768 || offset > 32767) {
          throw new Error(`jump to label \`${item.label}\` is too far: ${offset} slots`);
        }
        write(item.opcode, registerNumber(item.dst), registerNumber(item.src), offset, item.imm);
        break;
      }
      case 'callLabel':
        write(CLASS.jmp | CALL, 0, PSEUDO.call, 0, distance(item.label));
        break;
      case 'loadImm64':
        write(LOAD_IMM64, registerNumber(item.dst), 0, 0, Number(BigInt.asIntN(32, item.value)));
        write(0, 0, 0, 0, Number(BigInt.asIntN(32, item.value >> 32n)));
        break;
      case 'loadMap': {
        const pseudo = item.valueOffset === undefined ? PSEUDO.mapFd : PSEUDO.mapValue;
        write(LOAD_IMM64, registerNumber(item.dst), pseudo, 0, descriptor(item.map));
        write(0, 0, 0, 0, item.valueOffset ?? 0);
        break;
      }
    }
  }
  return bytes;
}
