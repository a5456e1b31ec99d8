/**
 * Groups that BIND restricts and ACCEPT does not. listen(2) without bind(2) takes what a bind of the
 * wildcard's port 0 would: a port of the kernel's choice. So BIND restricts such a group if it refuses a
 * wildcard on port 0 or on one of those ports (ip_local_port_range as Linux has it).
 */
import { boxes, intersect, isEmpty, project, subtract, witness } from '@sockfilter/diagram';
import { PROTOCOL, type Range } from '@sockfilter/table';
import { type Check, chainSet } from '../context.js';
import { describeGroups } from '../describe.js';

const LOCAL_PORTS: Range = [32_768n, 60_999n];

export const findAutobind: Check = function* (context) {
  const { file, loaded, owners, table, universe } = context;
  const autobinds = universe.box({
    protocol: [[BigInt(PROTOCOL.tcp), BigInt(PROTOCOL.tcp)]],
    destination: [[0n, 0n]],
    destinationPort: [[0n, 0n], LOCAL_PORTS],
  });
  const refused = intersect(intersect(context.refused, chainSet(universe, 'BIND')), autobinds);
  if (isEmpty(refused)) return;
  const accepts = chainSet(universe, 'ACCEPT');
  const guarded = project(intersect(context.refused, accepts), ['group']);
  const exposed = subtract(refused, guarded);
  if (isEmpty(exposed)) return;
  for (const counter of loaded.deciders(exposed)) {
    const owner = owners[counter];
    const own = project(intersect(exposed, loaded.decidedBy(counter)), ['group']);
    const [box] = boxes(intersect(own, accepts), 1);
    const groups = (box && describeGroups(box, table.groups)) ?? 'every group';
    yield context.find('SF011', {
      place: file.placeOf(owner.rule ?? owner.chain),
      message: `binds are refused here, and \`ACCEPT\` refuses nothing for ${groups}: listen(2) without bind(2) takes a port that no rule sees`,
      packet: witness(intersect(own, accepts)),
      fix: 'accept only the ports that may be served: `-A ACCEPT ... -p tcp --dport PORT -j ACCEPT`, then `-A ACCEPT ... -j DROP`',
    });
  }
};
