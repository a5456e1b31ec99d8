/** The walk that the programs make, in TypeScript: over the same nodes, step by step. */
import { type Answers, fieldOf, nobodyAnswers, pieceValues } from '@sockfilter/diagram';
import { eventKind } from '@sockfilter/events';
import {
  type BuiltinChain,
  type Decision,
  elementAt,
  type Packet,
  type Report,
  type ReportKind,
  WRITABLE_FIELDS,
  type WritableField,
} from '@sockfilter/table';
import { CHOOSES, writeChosen } from './chosen.js';
import { ASK_NODES, MAX_STEPS, NODE, OP, placeFor, placesIn, SWITCH } from './layout.js';

function reportKind(number: number): ReportKind {
  const kind = eventKind(number);
  if (!kind || kind === 'refused' || kind === 'passed')
    throw new TypeError(`no report of kind ${number}`);
  return kind;
}

/** The packet with what the walk has made of its fields. */
function rewritten(packet: Packet, values: Uint16Array): Packet {
  const destination = fieldOf(values, 'destination');
  const destinationPort = Number(fieldOf(values, 'destinationPort'));
  const mark = Number(fieldOf(values, 'mark'));
  const written: Pick<Packet, WritableField> = { destination, destinationPort, mark };
  return WRITABLE_FIELDS.every((field) => packet[field] === written[field])
    ? packet
    : { ...packet, ...written };
}

/** What a walk needs of a blob, whether it was just encoded or read back from the kernel. */
export interface WalkableBlob {
  readonly words: Uint32Array;
  readonly first: number;
  readonly entries: Readonly<Record<BuiltinChain, number>>;
}

/**
 * What becomes of the packet, whose opaque tests are answered so. The packet's chain must be the first piece,
 * as in every diagram. Throws RangeError for nodes that lead nowhere, or in a circle.
 */
export function walkBlob(
  blob: WalkableBlob,
  packet: Packet,
  answers: Answers = nobodyAnswers,
): Decision {
  const { words, first } = blob;
  const values = pieceValues(packet);
  const counted: number[] = [];
  const reports: Report[] = [];
  for (let address = blob.entries[packet.chain], steps = 0; ; steps++) {
    if (steps === MAX_STEPS) throw new RangeError(`a walk takes more than ${MAX_STEPS} steps`);
    const at = 2 * (address - first);
    const head = elementAt(words, at);
    const target = elementAt(words, at + 1);
    const value = head & 0xffff;
    const piece = elementAt(values, (head >>> 16) & 0xff);
    switch (head >>> 24) {
      case OP.less:
        address = piece < value ? target : address + 1;
        break;
      case OP.unequal:
        address = piece !== value ? target : address + 1;
        break;
      case OP.switch:
        address = placeFor(
          target,
          placesIn(elementAt(words, at + SWITCH.places / 4)),
          piece - value,
        );
        break;
      case OP.jump:
        address = target;
        break;
      case OP.count:
        counted.push(target);
        address += 1;
        break;
      case OP.report:
        reports.push({ kind: reportKind(value), counter: target });
        address += 1;
        break;
      case OP.rewrite: {
        const slot = (head >>> 16) & 0xff;
        values[slot] = (piece & (target >>> 16)) ^ (target & 0xffff);
        address += 1;
        break;
      }
      case OP.ask:
        if ((value & NODE.kindMask) === CHOOSES) {
          writeChosen(words, at, values);
          address += ASK_NODES;
          break;
        }
        address = answers(elementAt(words, at + NODE.test / 4), rewritten(packet, values))
          ? address + ASK_NODES
          : target;
        break;
      case OP.verdict:
        counted.push(target);
        return {
          errno: value,
          decider: target,
          counted,
          reports,
          packet: rewritten(packet, values),
        };
      default:
        throw new TypeError(`no node at address ${address}`);
    }
  }
}
