/** `sockfilter status` and `sockfilter teardown`. */

import type { Status } from '@sockfilter/kernel';
import { writeJson } from '@sockfilter/language';
import type { Group } from '@sockfilter/table';
import { removeOwnCgroups } from './cgroupdirectory.js';
import { printColumns } from './columns.js';
import { type Globals, requireLive } from './globals.js';
import { withFirewall, withLiveTable } from './livetable.js';
import { note, print } from './output.js';

function printStatus(status: Status, groups: readonly Group[]): string {
  const { hooks } = status;
  const facts = [
    ['root', status.root],
    ['pins', status.pins],
    ['generation', String(status.sequence)],
    ['rules', String(status.rules)],
    ['nodes', String(status.nodes)],
    ['memory', `${status.bytes} bytes`],
    ['groups', `${groups.length}, ${status.paths} with a path`],
    ['cgroups', `${status.cgroups} in groups`],
  ];
  const rows = hooks.map(({ name, chains, attached, onDemand, programId }) => [
    name,
    chains.join(' ') || '-',
    attached ? 'attached' : onDemand ? 'not needed' : 'NOT ATTACHED',
    programId === undefined ? '-' : String(programId),
  ]);
  return `${printColumns(facts)}\n${printColumns([['HOOK', 'CHAINS', 'STATE', 'PROGRAM'], ...rows])}`;
}

export async function showStatus(globals: Globals, json: boolean): Promise<void> {
  requireLive(globals, 'status');
  const { status, groups } = withLiveTable(globals, 'read', ({ firewall, open }) => ({
    status: firewall.status(),
    groups: open.table.groups,
  }));
  if (json) {
    const answer = status ? { installed: true, ...status, groups } : { installed: false };
    print(writeJson(answer));
  } else if (status) {
    print(printStatus(status, groups));
  } else {
    print(`not installed: nothing is enforced below ${globals.root}\n`);
  }
}

export async function tearDown(globals: Globals): Promise<void> {
  requireLive(globals, 'teardown');
  const stay = withFirewall(globals, (firewall) => {
    firewall.teardown();
    return removeOwnCgroups(firewall, globals.root);
  });
  for (const path of stay)
    note(`control group ${path} stays: it has processes or control groups in it`);
}
