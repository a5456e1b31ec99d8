/** `restore --fail-closed`: what is to be at boot if the rules can't be put in force. */
import { parseSave } from '@sockfilter/iptables';
import type { Globals } from './globals.js';
import { withLiveTable } from './livetable.js';
import { note } from './output.js';
import { type RestoreOptions, restoreTable } from './restore.js';
import { SYSTEM_NAMES } from './systemnames.js';

/** All that a machine needs to come up with itself, and nothing else. */
const CLOSED = `*socket
:BIND ACCEPT [0:0]
:ACCEPT DROP [0:0]
:CONNECT DROP [0:0]
:SENDTO DROP [0:0]
:RECVFROM DROP [0:0]
-A ACCEPT -s 127.0.0.0/8 -j ACCEPT
-A ACCEPT -s ::1 -j ACCEPT
-A CONNECT -d 127.0.0.0/8 -j ACCEPT
-A CONNECT -d ::1 -j ACCEPT
-A SENDTO -d 127.0.0.0/8 -j ACCEPT
-A SENDTO -d ::1 -j ACCEPT
-A RECVFROM -s 127.0.0.0/8 -j ACCEPT
-A RECVFROM -s ::1 -j ACCEPT
COMMIT
`;

/** Puts the closed table in force where nothing is; rules that are in force stay. */
function close(globals: Globals): void {
  const { table } = parseSave(CLOSED, 'closed', { names: SYSTEM_NAMES });
  withLiveTable(globals, 'replace', ({ firewall, open }) => {
    if (firewall.text !== undefined) return note('the rules that are in force stay');
    open.commit({ table, origins: [], label: 'closed' });
    note('all calls but bind(2) and those of loopback are refused, until rules are restored');
  });
}

export async function restoreOrClose(globals: Globals, options: RestoreOptions): Promise<void> {
  try {
    await restoreTable(globals, options);
  } catch (error) {
    try {
      close(globals);
    } catch (other) {
      note(`nothing is refused: ${other instanceof Error ? other.message : String(other)}`);
    }
    throw error;
  }
}
