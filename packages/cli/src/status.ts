/** `sockfilter status` and `sockfilter teardown`. */

import { AUDIT, printSave } from '@sockfilter/iptables';
import type { CarriedSocket, Rewriting, Status } from '@sockfilter/kernel';
import { EXIT, writeJson } from '@sockfilter/language';
import {
  auditedErrno,
  type CounterOwner,
  counterOwners,
  type Group,
  ownerName,
} from '@sockfilter/table';
import { removeOwnCgroups } from './cgroupdirectory.js';
import { closing } from './closing.js';
import { printColumns } from './columns.js';
import { type WritableAncestor, writableAncestors } from './delegation.js';
import { CommandError } from './failure.js';
import { type Globals, requireLive } from './globals.js';
import { hashText } from './hashtext.js';
import { withFirewall, withLiveTable } from './livetable.js';
import type { OpenTable } from './opentable.js';
import { forThisTable, note, print } from './output.js';
import { bytesWithoutRevision } from './revision.js';
import { carriedData, carriedText, lookAround, rewritingTexts } from './surroundings.js';

function printCgroups({ cgroups, cgroupCapacity, removed }: Status): string | undefined {
  if (cgroups === undefined || cgroupCapacity === undefined) return undefined;
  const full = cgroups >= cgroupCapacity ? ', FULL: calls from new ones fail closed' : '';
  return `${cgroups} of ${cgroupCapacity} at most${full}; ${removed} removed with sockets left`;
}

/** Whose programs walk the table, where they are not all of this release. */
const RELEASE: Readonly<Record<Status['release'], string | undefined>> = {
  own: undefined,
  older: 'an older one; the next change of the table takes over from it',
  both: 'an older one and this one: an upgrade was interrupted, and the next change ends it',
};

/** What becomes of sockets whose calls no hook sees. */
const UNSEEN = {
  on: 'raw, SCTP, DCCP and UDP-Lite sockets are refused; bind(2) of ping sockets passes',
  off: 'SCTP and DCCP sockets, connect(2) of UDP-Lite and bind(2) of raw and ping sockets pass; `--deny-unseen` refuses all but the last',
};

/** What accept(2) does at a listener that ACCEPT lets nobody reach. */
const CLOSED_LISTENERS = {
  fail: 'accept(2) of a listener that no peer may reach fails with EPERM',
  wait: 'a listener that no peer may reach waits: no program of BPF LSM tells accept(2), see `sockfilter doctor`',
};

function printRelease({ release, format }: Status): string | undefined {
  const said = RELEASE[release];
  return said && `${said} (format ${format})`;
}

/** What is in force by its text: the label that it was restored with, and a hash of what it is now. */
interface InForceRevision {
  readonly label: string | undefined;
  readonly hash: string;
  /** Whether it has been edited since it was restored. */
  readonly isEdited: boolean;
}

function revisionInForce(open: OpenTable): InForceRevision {
  const { kept, revision } = open;
  const hash = hashText(kept ? bytesWithoutRevision(kept.kept.bytes) : printSave(open.table));
  return {
    label: revision?.label,
    hash,
    isEdited: revision !== undefined && revision.hash !== hash,
  };
}

/** What is told of the table itself. */
interface Facts {
  readonly groups: readonly Group[];
  /** What refuses nothing, and says so. */
  readonly audited: readonly CounterOwner[];
}

function factsOf(open: OpenTable): Facts {
  const { kept } = open;
  // Its option stands in the text of every rule and policy that is audited.
  if (kept && kept.kept.find(AUDIT, 0) < 0) return { groups: kept.head.groups, audited: [] };
  const { table } = open;
  const audited = counterOwners(table).filter((owner) => auditedErrno(owner) !== undefined);
  return { groups: table.groups, audited };
}

function printMemory({ bytes, spareBytes }: Status): string {
  return spareBytes === 0
    ? `${bytes} bytes`
    : `${bytes} bytes, and ${spareBytes} for the next table`;
}

/** `CONNECT in 2: ...`; of no table whose chains are one diagram each. */
function printLayers({ layers }: Status): string | undefined {
  const said = Object.entries(layers).map(([chain, count]) => `${chain} in ${count}`);
  if (said.length === 0) return undefined;
  return `${said.join(', ')}: its rules cross, and a call makes a walk for each layer`;
}

/** What refuses nothing, and says so: `rule 2 of CONNECT, the policy of BIND`. */
function printAudited(audited: readonly CounterOwner[]): string | undefined {
  const names = audited.map(ownerName);
  if (names.length === 0) return undefined;
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  return `${names.slice(0, MOST_NAMES).join(', ')}${more}: calls pass that they would refuse`;
}

const MOST_NAMES = 3;

function printStatus(
  status: Status,
  { groups, audited }: Facts,
  { label, hash, isEdited }: InForceRevision,
  { writable, carried, nat }: Surroundings,
): string {
  const { hooks, paths, trialSeconds } = status;
  const all: readonly (readonly [string, string | undefined])[] = [
    ['root', status.root],
    ['pins', status.pins],
    ['generation', String(status.sequence)],
    ['rules', String(status.rules)],
    ['nodes', String(status.nodes)],
    ['layers', printLayers(status)],
    ['memory', printMemory(status)],
    ['groups', `${groups.length}${paths === undefined ? '' : `, ${paths} with a path`}`],
    ['cgroups', printCgroups(status)],
    ['revision', label && `${label}${isEdited ? ', edited since' : ''}`],
    ['text', `sha256:${hash}`],
    ['unseen', UNSEEN[status.denyUnseen ? 'on' : 'off']],
    ['accept', status.closedListeners && CLOSED_LISTENERS[status.closedListeners]],
    ['audited', printAudited(audited)],
    ['release', printRelease(status)],
    [
      'on trial',
      trialSeconds === undefined
        ? undefined
        : forThisTable(
            `for ${Math.ceil(trialSeconds)} s more: \`sockfilter confirm\` keeps it, \`sockfilter undo\` puts the one before back`,
          ),
    ],
  ];
  const facts = all.flatMap(([name, said]) => (said === undefined ? [] : [[name, said]]));
  const rows = hooks.map(({ name, chains, attached, needed, programId }) => [
    name,
    chains.join(' ') || '-',
    attached ? 'attached' : needed ? 'NOT ATTACHED' : 'not needed',
    programId === undefined ? '-' : String(programId),
  ]);
  const later = status.later.map(
    ({ hook, programId, name }) =>
      `\nprogram ${programId}${name && ` (${name})`} of another runs after ${hook}, and can allow what it refused\n`,
  );
  const leaving = writable.map(
    ({ path, uid }) =>
      `\nnot only root may write cgroup.procs of ${path} (owner: uid ${uid}): processes below it can leave their groups\n`,
  );
  const around = [...carried.map(carriedText), ...rewritingTexts(nat)].map((line) => `\n${line}\n`);
  const attached = printColumns([['HOOK', 'CHAINS', 'STATE', 'PROGRAM'], ...rows]);
  return `${printColumns(facts)}\n${attached}${later.join('')}${leaving.join('')}${around.join('')}`;
}

/** What of the machine around it a person should know. */
interface Surroundings {
  readonly writable: readonly WritableAncestor[];
  readonly carried: readonly CarriedSocket[];
  readonly nat: readonly Rewriting[];
}

/** Whether the text in force is compiled and compared, and how it is printed. */
export interface StatusOptions {
  readonly json: boolean;
  readonly verify: boolean;
}

export async function showStatus(globals: Globals, { json, verify }: StatusOptions): Promise<void> {
  requireLive(globals, 'status');
  const verification = verify ? await import('./verification.js') : undefined;
  const found = withLiveTable(globals, 'read', ({ firewall, open }) => ({
    status: firewall.status(() => open.table),
    differences: verification?.differencesOf(firewall, open.table),
    writable: writableAncestors(
      (path) => firewall.cgroupDirectory(path),
      globals.root,
      (open.kept?.head ?? open.table).groups,
    ),
    facts: factsOf(open),
    revision: revisionInForce(open),
    surroundings: firewall.surroundings(),
  }));
  const { status, differences, facts, revision, writable, surroundings } = found;
  const around = closing(surroundings, (open) => ({
    writable,
    carried: lookAround((failed) => open?.carriedSockets(failed) ?? []),
    nat: lookAround((failed) => open?.rewritings(failed) ?? []),
  }));
  if (json) {
    const answer = status
      ? {
          installed: true,
          ...status,
          revision,
          groups: facts.groups,
          audited: facts.audited.length,
          ...around,
          carried: around.carried.map(carriedData),
          ...(differences && { differences }),
        }
      : { installed: false };
    print(writeJson(answer));
  } else if (status) {
    print(printStatus(status, facts, revision, around));
    if (differences) print(verification?.printDifferences(differences) ?? '');
  } else {
    print(`not installed: nothing is enforced below ${globals.root}\n`);
  }
  verification?.requireNone(differences ?? []);
  const missing = (status?.hooks ?? []).filter(({ needed, attached }) => needed && !attached);
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => `\`${name}\``).join(', ');
  throw new CommandError(
    `${names} ${missing.length === 1 ? 'is' : 'are'} not attached: calls pass there that the rules may refuse`,
    EXIT.unfit,
    'the next change of the table attaches what is missing: `sockfilter save -c > FILE && sockfilter restore -c FILE`, for example',
  );
}

export async function tearDown(globals: Globals): Promise<void> {
  requireLive(globals, 'teardown');
  const { strangers, stay } = withFirewall(globals, 'replace', (firewall) => {
    const strangers = firewall.teardown();
    return { strangers, stay: removeOwnCgroups(firewall, globals.root) };
  });
  for (const name of strangers) note(`\`${name}\` among the pins is not sockfilter's, and stays`);
  for (const path of stay)
    note(`control group ${path} stays: it has processes or control groups in it`);
}
