/**
 * BIND that accepts port 0 and refuses ports that the kernel then chooses. The kernel's choice is judged
 * with its number, so that port 0 grants the asking and nothing else.
 */
import { type Box, intersect, isEmpty, project, witness } from '@sockfilter/diagram';
import type { Field, Packet, Range } from '@sockfilter/table';
import { type Check, chainSet } from '../context.js';
import { ownerNote } from '../rulefile.js';

/** net.ipv4.ip_local_port_range as Linux has it, for both families. */
const LOCAL_PORTS: Range = [32_768n, 60_999n];

/** What a bind to port 0 and one to the port that the kernel chose for it have in common. */
const SAME = [
  'group',
  'family',
  'protocol',
  'destination',
  'uid',
  'gid',
  'mark',
] as const satisfies Field[];

function alike(packet: Packet): Box {
  return Object.fromEntries(
    SAME.map((field) => [field, [[BigInt(packet[field]), BigInt(packet[field])]]]),
  );
}

export const findRefusedChoices: Check = function* (context) {
  const { file, loaded, universe } = context;
  const binds = chainSet(universe, 'BIND');
  const chosen = intersect(binds, universe.box({ destinationPort: [LOCAL_PORTS] }));
  const refused = intersect(context.refused, chosen);
  if (isEmpty(refused)) return;
  const asked = intersect(binds, universe.box({ destinationPort: [[0n, 0n]] }));
  const exposed = intersect(
    intersect(context.accepted, asked),
    project(refused, ['chain', ...SAME]),
  );
  if (isEmpty(exposed)) return;
  const succeeding = project(intersect(context.accepted, chosen), ['chain', ...SAME]);
  for (const counter of loaded.deciders(exposed)) {
    const owner = loaded.ownerOf(counter);
    const own = intersect(exposed, loaded.decidedBy(counter));
    const packet = witness(own);
    if (!packet) continue;
    const never = isEmpty(intersect(own, succeeding));
    const choice = witness(intersect(refused, universe.box(alike(packet))));
    const refuser = choice && context.tracer.decide(choice).decider;
    const call = choice && context.witness(choice);
    yield context.find('SF015', {
      place: file.placeOf(owner.rule ?? owner.chain),
      message: never
        ? 'binds to port 0 are accepted here and never succeed: the port that the kernel chooses is judged too, and 32768 to 60999 are refused'
        : 'binds to port 0 are accepted here and fail by chance: the port that the kernel chooses is judged too, and some of 32768 to 60999 are refused',
      notes: refuser ? [ownerNote(file, refuser, '', ` refuses ${call?.call}`)] : [],
      packet,
      fix: never
        ? 'accept those ports too (`--dports 0,32768:60999`), or refuse port 0'
        : 'keep the kernel from choosing the refused ports (the sysctl net.ipv4.ip_local_reserved_ports), or refuse port 0',
    });
  }
};
