/** What is attached where, and how big it is. */
import { mapInfo } from '@sockfilter/bpf';
import type { Table } from '@sockfilter/table';
import { inspectHook } from './attachment.js';
import type { Tree } from './cgrouptree.js';
import { type LaterProgram, laterPrograms } from './foreign.js';
import { countCgroups, countRemoved } from './groupmap.js';
import { CALL_HOOKS, isNeeded, TRACEPOINTS } from './hooks.js';
import type { LoadedGeneration } from './inforce.js';
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

export interface Status {
  readonly root: string;
  /** The folder of pins. */
  readonly pins: string;
  /** Number of commits so far. */
  readonly sequence: number;
  readonly rules: number;
  readonly nodes: number;
  /** Bytes of kernel memory that the generation takes. */
  readonly bytes: number;
  /** Registered paths, and control groups that have an entry. */
  readonly paths: number;
  readonly cgroups: number;
  /** Removed control groups that sockets, or the kernel itself, still hold. */
  readonly removed: number;
  /** Control groups that can have an entry. */
  readonly cgroupCapacity: number;
  readonly hooks: readonly HookStatus[];
  /** Programs of others that can allow what ours have refused. */
  readonly later: readonly LaterProgram[];
}

/** What stands for the generation that holds the table. */
export function readStatus(
  pins: Pins,
  tree: Tree,
  { fd, header }: LoadedGeneration,
  table: Table,
): Status {
  const maps = openMaps(pins);
  const hooks = [...TRACEPOINTS, ...CALL_HOOKS].map((hook) => ({
    ...hook,
    needed: isNeeded(hook, table),
    ...inspectHook(pins, tree, hook),
  }));
  try {
    return {
      root: tree.root,
      pins: pins.folder,
      sequence: header.sequence,
      rules: header.rules,
      nodes: header.nodes,
      bytes: mapInfo(fd).maxEntries * PAGE_BYTES,
      paths: registeredPaths(maps.paths, header.idSlot).size,
      cgroups: countCgroups(maps.groups),
      removed: countRemoved(maps.removed),
      cgroupCapacity: mapInfo(maps.groups).maxEntries,
      hooks: hooks.map(({ name, chains, needed, attached, programId }) => ({
        name,
        chains,
        needed,
        attached,
        programId,
      })),
      later: laterPrograms(tree, hooks),
    };
  } finally {
    closeMaps(maps);
  }
}
