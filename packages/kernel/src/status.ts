/** What is attached where, and how big it is. */
import { mapInfo } from '@sockfilter/bpf';
import type { Table } from '@sockfilter/table';
import { inspectHook } from './attachment.js';
import { bootTime } from './bootclock.js';
import type { Tree } from './cgrouptree.js';
import { type LaterProgram, laterPrograms } from './foreign.js';
import { countCgroups, countRemoved } from './groupmap.js';
import { ANSWER_HOOKS, CALL_HOOKS, isNeeded, TRACEPOINTS } from './hooks.js';
import type { InForceInstance } from './instance.js';
import { PAGE_BYTES } from './layout.js';
import { closeMaps, openMaps } from './maps.js';
import { registeredPaths } from './pathmap.js';
import type { Pins } from './pins.js';

export interface HookStatus {
  readonly name: string;
  readonly chains: readonly string[];
  /** Whether the table can't do without it. */
  readonly needed: boolean;
  readonly attached: boolean;
  readonly programId: number | undefined;
}

/** What the maps hold; undefined of another release's. */
interface Entries {
  /** Registered paths, and control groups that have an entry. */
  readonly paths: number;
  readonly cgroups: number;
  /** Removed control groups that sockets, or the kernel itself, still hold. */
  readonly removed: number;
  /** Control groups that can have an entry. */
  readonly cgroupCapacity: number;
}

export interface Status extends Partial<Entries> {
  readonly root: string;
  /** The folder of pins. */
  readonly pins: string;
  /** Number of commits so far. */
  readonly sequence: number;
  readonly rules: number;
  /** Whether sockets whose calls no hook sees can't be made. */
  readonly denyUnseen: boolean;
  readonly nodes: number;
  /** Bytes of kernel memory that the generation takes. */
  readonly bytes: number;
  /** The format of what is in force, and whose programs walk it: this release's, an older one's, or both. */
  readonly format: number;
  readonly release: InForceInstance['release'];
  /** Seconds until it is undone unless it is confirmed. */
  readonly trialSeconds: number | undefined;
  readonly hooks: readonly HookStatus[];
  /**
   * What accept(2) does at a listener that no peer may reach: it fails, or waits where this kernel takes no program
   * of BPF LSM; undefined where ACCEPT refuses nothing.
   */
  readonly closedListeners: 'fail' | 'wait' | undefined;
  /** Programs of others that can allow what ours have refused. */
  readonly later: readonly LaterProgram[];
}

function readEntries(pins: Pins, idSlot: number): Entries {
  const maps = openMaps(pins);
  try {
    return {
      paths: registeredPaths(maps.paths, idSlot).size,
      cgroups: countCgroups(maps.groups),
      removed: countRemoved(maps.removed),
      cgroupCapacity: mapInfo(maps.groups).maxEntries,
    };
  } finally {
    closeMaps(maps);
  }
}

/** What stands for the generation that holds the table. */
export function readStatus(
  pins: Pins,
  tree: Tree,
  { generation, release, trial }: InForceInstance,
  table: Table,
): Status {
  const { fd, header } = generation;
  const answers = ANSWER_HOOKS.filter((hook) => isNeeded(hook, table));
  const here = answers.filter((hook) => inspectHook(pins, tree, hook).attached);
  const hooks = [...TRACEPOINTS, ...CALL_HOOKS, ...here].map((hook) => ({
    ...hook,
    needed: isNeeded(hook, table),
    ...inspectHook(pins, tree, hook),
  }));
  return {
    root: tree.root,
    pins: pins.folder,
    sequence: header.sequence,
    rules: header.rules,
    denyUnseen: table.denyUnseen,
    nodes: header.nodes,
    bytes: mapInfo(fd).maxEntries * PAGE_BYTES,
    format: header.format,
    release,
    trialSeconds:
      trial?.state === 'pending' ? Number(trial.deadline - bootTime()) / 1e9 : undefined,
    ...(release === 'own' && readEntries(pins, header.idSlot)),
    hooks: hooks.map(({ name, chains, needed, attached, programId }) => ({
      name,
      chains,
      needed,
      attached,
      programId,
    })),
    closedListeners: answers.length === 0 ? undefined : here.length > 0 ? 'fail' : 'wait',
    later: laterPrograms(tree, hooks),
  };
}
