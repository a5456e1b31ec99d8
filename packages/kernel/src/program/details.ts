/**
 * The function that reads the details which a chain asks for, and its calls. It is global: the verifier looks at it
 * once, and a table that asks for none pays one load and one jump.
 */
import {
  addImm,
  andImm,
  callLabel,
  exit,
  type GlobalFunction,
  type Item,
  jumpIf,
  jumpIf32,
  label,
  load,
  mov,
  movImm,
  R0,
  R1,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  R8,
  R9,
  R10,
  store,
} from '@sockfilter/bpf';
import { firstPiece } from '@sockfilter/diagram';
import { BUILTIN_CHAINS, type BuiltinChain, isLuck } from '@sockfilter/table';
import { READ_FIELDS, READERS, readBit } from '../detail.js';
import { HEADER } from '../layout.js';
import type { Offsets } from '../offsets.js';
import { GENERATION, PACKET, SLOTS } from './stack.js';

/** Its label. It takes the packet, the socket, the details that are asked for, and devices. */
const DETAILS = 'details';

/** Where the function keeps what is asked for. */
const ASKED = -8;

/** Who makes a call: the task that does, alone or once more for what it has made; or the socket of a packet. */
type Caller = 'caller' | 'again' | 'socket';

/** Where a call is judged once more it has drawn already. */
function isRead(field: (typeof READ_FIELDS)[number], who: Caller): boolean {
  return who === 'caller' || (who === 'again' ? !isLuck(field) : !READERS[field].ofCaller);
}

export function detailFunction(offsets: Offsets, who: Caller): GlobalFunction {
  const readers = READ_FIELDS.filter((field) => isRead(field, who)).flatMap((detail) => {
    const name = `details.${detail}`;
    const slots = 2 * firstPiece(detail);
    return [
      load(8, R1, R10, ASKED),
      andImm(R1, readBit(detail)),
      jumpIf('eq', R1, 0, `${name}.not`),
      ...READERS[detail].read({ offsets, name, failed: 'details.failed', slots }),
      label(`${name}.not`),
    ];
  });
  return {
    name: DETAILS,
    parameters: [{ bytes: 2 * SLOTS }, 'number', 'number', 'number', 'number'],
    items: [
      jumpIf('eq', R1, 0, 'details.failed'),
      mov(R6, R1),
      mov(R7, R2),
      store(8, R10, ASKED, R3),
      mov(R8, R4),
      mov(R9, R5),
      ...readers,
      movImm(R0, 1),
      exit(),
      label('details.failed'),
      movImm(R0, 0),
      exit(),
    ],
  };
}

/** What a hook knows where the details are read; each may destroy r0 to r5. */
export interface Sight {
  /** r3 = the kernel's address of the socket. */
  readonly socket: readonly Item[];
  /** r3 = the index of the device that the call or the socket names, or 0. */
  readonly named?: readonly Item[];
  /** r3 = the address of the device that the packet comes or goes by. */
  readonly passed?: readonly Item[];
}

/**
 * Stores the details that the chain asks for; r6 is the header. Destroys r0 to r5; the generation's number is not
 * kept yet.
 */
export function putDetails(
  chain: BuiltinChain,
  { socket, named, passed }: Sight,
  failed: string,
): readonly Item[] {
  const known = `${chain}.details`;
  return [
    load(4, R1, R6, HEADER.details + 4 * BUILTIN_CHAINS.indexOf(chain)),
    jumpIf('eq', R1, 0, known),
    ...(named ?? passed ?? [movImm(R3, 0)]),
    store(8, R10, GENERATION, R3),
    ...socket,
    mov(R2, R3),
    load(8, R3, R10, GENERATION),
    ...(passed ? [mov(R5, R3), movImm(R4, 0)] : [mov(R4, R3), movImm(R5, 0)]),
    load(4, R3, R6, HEADER.details + 4 * BUILTIN_CHAINS.indexOf(chain)),
    mov(R1, R10),
    addImm(R1, PACKET),
    callLabel(DETAILS),
    jumpIf32('eq', R0, 0, failed),
    label(known),
  ];
}
