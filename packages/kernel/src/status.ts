/** What is attached where, and how big it is. */
import { type Fd, mapInfo } from '@sockfilter/bpf';
import { READER_SLOTS } from '@sockfilter/events';
import type { BuiltinChain } from '@sockfilter/table';
import { inspectHook } from './attachment.js';
import { bootTime } from './bootclock.js';
import type { Tree } from './cgrouptree.js';
import { type LaterProgram, laterPrograms } from './foreign.js';
import { countCgroups, countRemoved } from './groupmap.js';
import { layersOf } from './header.js';
import { ANSWER_HOOKS, CALL_HOOKS, TRACEPOINTS } from './hooks.js';
import type { LoadedGeneration } from './inforce.js';
import type { InForceInstance } from './instance.js';
import { MAX_PATHS, MAX_RULES, MAX_SETS, PAGE_BYTES } from './layout.js';
import { closeMaps, openMaps } from './maps.js';
import { registeredPaths } from './pathmap.js';
import { generationPin, instanceName, type Pins, SPARE_PIN, using } from './pins.js';
import { countReaders } from './readerslot.js';
import type { Traits } from './traits.js';

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
  /** What is bounded, how much of it is used, and how much there can be. */
  readonly limits: readonly Limit[];
}

interface Limit {
  readonly resource: string;
  readonly used: number;
  readonly most: number;
}

export interface Status extends Partial<Entries> {
  readonly root: string;
  /** The folder of pins. */
  readonly pins: string;
  /** Number of commits so far. */
  readonly sequence: number;
  /** When the last one was, in milliseconds since 1970; undefined if its pin is gone. */
  readonly committed: number | undefined;
  readonly rules: number;
  /** Whether sockets whose calls no hook sees can't be made. */
  readonly denyUnseen: boolean;
  readonly nodes: number;
  /** In how many layers the rules of chains are that would be too much as one diagram: so many walks a call makes. */
  readonly layers: Partial<Readonly<Record<BuiltinChain, number>>>;
  /** Bytes of kernel memory that the generation takes. */
  readonly bytes: number;
  /** And those of the map that the next one may be written to; 0 where there is none. */
  readonly spareBytes: number;
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

function readEntries(pins: Pins, tree: Tree, { header }: LoadedGeneration): Entries {
  const maps = openMaps(pins);
  try {
    const paths = registeredPaths(maps.paths, header.idSlot).size;
    const cgroups = countCgroups(maps.groups);
    const removed = countRemoved(maps.removed);
    const cgroupCapacity = mapInfo(maps.groups).maxEntries;
    const readers = countReaders(instanceName(tree.root), maps.readers);
    return {
      paths,
      cgroups,
      removed,
      cgroupCapacity,
      limits: [
        { resource: 'rules', used: header.rules, most: MAX_RULES },
        { resource: 'sets', used: header.sets, most: MAX_SETS },
        { resource: 'paths', used: paths, most: MAX_PATHS },
        { resource: 'cgroups', used: cgroups, most: cgroupCapacity },
        { resource: 'removed cgroups', used: removed, most: mapInfo(maps.removed).maxEntries },
        { resource: 'readers', used: readers, most: READER_SLOTS },
      ],
    };
  } finally {
    closeMaps(maps);
  }
}

const bytesOf = (generation: Fd) => mapInfo(generation).maxEntries * PAGE_BYTES;

function spareBytes(pins: Pins): number {
  const fd = pins.isPin(SPARE_PIN) ? pins.open(SPARE_PIN) : undefined;
  return fd === undefined ? 0 : using(fd, bytesOf);
}

/** What stands for the generation that holds the table. */
export function readStatus(
  pins: Pins,
  tree: Tree,
  { generation, release, trial }: InForceInstance,
  traits: Traits,
): Status {
  const { fd, header } = generation;
  const answers = ANSWER_HOOKS.filter(({ name }) => traits.hooks.has(name));
  const here = answers.filter((hook) => inspectHook(pins, tree, hook).attached);
  const hooks = [...TRACEPOINTS, ...CALL_HOOKS, ...here].map((hook) => ({
    ...hook,
    needed: hook.needed === 'always' || traits.hooks.has(hook.name),
    ...inspectHook(pins, tree, hook),
  }));
  return {
    root: tree.root,
    pins: pins.folder,
    sequence: header.sequence,
    committed: pins.timeOf(generationPin(header.sequence)),
    rules: header.rules,
    denyUnseen: traits.hooks.has('sock_create'),
    nodes: header.nodes,
    layers: layersOf(header),
    bytes: bytesOf(fd),
    spareBytes: spareBytes(pins),
    format: header.format,
    release,
    trialSeconds:
      trial?.state === 'pending' ? Number(trial.deadline - bootTime()) / 1e9 : undefined,
    ...(release === 'own' && readEntries(pins, tree, generation)),
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
