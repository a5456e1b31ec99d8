/** The maps of an instance: one of each, made when it is installed, kept until its teardown. */
import {
  close,
  createMap,
  createSocketStorage,
  type Fd,
  type MapDescriptors,
  type MapSpec,
} from '@sockfilter/bpf';
import { LAST, READER_SLOTS, READERS_BYTES } from '@sockfilter/events';
import { elementAt } from '@sockfilter/table';
import { createBucketMap } from './bucketmap.js';
import { possibleCpus } from './cpus.js';
import { DamageError } from './damage.js';
import { generationSpec } from './generationmap.js';
import { createGroupMap, createRemovedMap } from './groupmap.js';
import { BOUND, PEERS, SCRATCH_BYTES, SCRATCH_ENTRIES, TABLE_SLOTS } from './layout.js';
import { MAPS } from './mapnames.js';
import { createPathMap, createShapeMap } from './pathmap.js';
import { type Pins, using } from './pins.js';
import { createSetMaps, type SetMaps } from './setmap.js';
import { createStateMap } from './statemap.js';

export interface Maps extends MapDescriptors {
  /** The generation in force, and the one to go back to past its deadline: TABLE_SLOTS. */
  readonly table: Fd;
  /** Cgroup id -> its network_ids. */
  readonly groups: Fd;
  /** Cgroup id of a removed control group -> its parent's. */
  readonly removed: Fd;
  /** Registered path or pattern -> its network_ids. */
  readonly paths: Fd;
  /** Folder -> the shapes of the patterns in it. */
  readonly shapes: Fd;
  /** What opaque tests remember, by slot. */
  readonly states: Fd;
  /** The buckets of tests that keep many. */
  readonly buckets: Fd;
  /** The maps of named sets by slot, and of those that hold networks. */
  readonly sets: Fd;
  readonly nets: Fd;
  /** The comments of their elements by slot, where they can have some. */
  readonly comments: Fd;
  /** What sockets have asked bind(2) for that were given another destination. */
  readonly bound: Fd;
  /** Which peers sockets have asked for that were given others. */
  readonly peers: Fd;
  /** A buffer of the mkdir program. */
  readonly scratch: Fd;
  /** Which readers of events there are, and the buffers of each: see the layout of events. */
  readonly readers: Fd;
  readonly events: Fd;
  /** The last refusal of each CPU. */
  readonly last: Fd;
}

/** Where a program keeps what does not fit its stack. @internal */
export const SCRATCH_SPEC: MapSpec = {
  type: 'array',
  name: 'sf_scratch',
  keySize: 4,
  valueSize: SCRATCH_BYTES,
  maxEntries: SCRATCH_ENTRIES.total,
};

const READERS_SPEC: MapSpec = {
  type: 'array',
  name: 'sf_readers',
  keySize: 4,
  valueSize: READERS_BYTES,
  maxEntries: 1,
};

const LAST_SPEC: MapSpec = {
  type: 'percpu_array',
  name: 'sf_last',
  keySize: 4,
  valueSize: LAST.bytes,
  maxEntries: 1,
};

function createEventMap(): Fd {
  return createMap({
    type: 'perf_event_array',
    name: 'sf_events',
    keySize: 4,
    valueSize: 4,
    maxEntries: READER_SLOTS * possibleCpus(),
  });
}

/** The kernel's name of the map of the pin `table`. */
export const TABLE_MAP_NAME = 'sf_table';

function createTableMap(): Fd {
  return using(createMap(generationSpec(1)), (innerMapFd) =>
    createMap({
      type: 'array_of_maps',
      name: TABLE_MAP_NAME,
      keySize: 4,
      valueSize: 4,
      maxEntries: TABLE_SLOTS.count,
      innerMapFd,
    }),
  );
}

const CREATE = {
  groups: createGroupMap,
  removed: createRemovedMap,
  paths: createPathMap,
  shapes: createShapeMap,
  states: createStateMap,
  buckets: createBucketMap,
  sets: () => createSetMaps('sets'),
  nets: () => createSetMaps('nets'),
  comments: () => createSetMaps('comments'),
  bound: () => createSocketStorage('sf_bound', BOUND.bytes),
  peers: () => createSocketStorage('sf_peers', PEERS.bytes),
  scratch: () => createMap(SCRATCH_SPEC),
  readers: () => createMap(READERS_SPEC),
  events: createEventMap,
  last: () => createMap(LAST_SPEC),
  // The last: where it is missing, nothing is installed.
  table: createTableMap,
} as const;

const isMap = (name: string): name is keyof typeof CREATE => name in CREATE;

/** Names of the maps in the order in which they are made. */
export const MAP_NAMES: readonly (keyof typeof CREATE)[] = Object.keys(CREATE).filter(isMap);

function forEachMap(fd: (name: keyof typeof CREATE) => Fd): Maps {
  return {
    groups: fd('groups'),
    removed: fd('removed'),
    paths: fd('paths'),
    shapes: fd('shapes'),
    states: fd('states'),
    buckets: fd('buckets'),
    sets: fd('sets'),
    nets: fd('nets'),
    comments: fd('comments'),
    bound: fd('bound'),
    peers: fd('peers'),
    scratch: fd('scratch'),
    readers: fd('readers'),
    events: fd('events'),
    last: fd('last'),
    table: fd('table'),
  };
}

/** The maps of an instance that is being installed: makes those that are missing. */
export function createMaps(pins: Pins): Maps {
  pins.create();
  return forEachMap((name) => pins.openOr(MAPS[name], CREATE[name]));
}

/** Maps that are pinned nowhere, to try programs with. */
export function createLooseMaps(): Maps {
  return forEachMap((name) => CREATE[name]());
}

/** One of the maps that the attached programs use. Throws DamageError if its pin is gone. */
export function openMap(pins: Pins, name: keyof typeof CREATE): Fd {
  const fd = pins.open(MAPS[name]);
  if (fd !== undefined) return fd;
  throw goneMap(pins, MAPS[name]);
}

/** All of them. Throws DamageError if a pin is gone. */
export function openMaps(pins: Pins): Maps {
  return forEachMap((name) => openMap(pins, name));
}

function goneMap(pins: Pins, name: string): DamageError {
  return new DamageError(
    `the pin \`${name}\` in ${pins.folder} is gone, so that what is in force can't be changed`,
    'save the rules, run `sockfilter teardown`, and restore them',
  );
}

/**
 * The maps of named sets, for `use`, each where it is pinned first; of an older release too, which may have no
 * comments.
 */
export function withSetMaps<T>(places: readonly Pins[], use: (maps: SetMaps) => T): T {
  const opened: Fd[] = [];
  const open = (name: 'sets' | 'nets' | 'comments') => {
    const fd = places.reduce<Fd | undefined>(
      (found, pins) => found ?? pins.open(MAPS[name]),
      undefined,
    );
    if (fd !== undefined) opened.push(fd);
    return fd;
  };
  try {
    const [sets, nets] = [open('sets'), open('nets')];
    if (sets === undefined || nets === undefined) throw goneMap(elementAt(places, 0), MAPS.sets);
    return use({ sets, nets, comments: open('comments') });
  } finally {
    for (const fd of opened) close(fd);
  }
}

export function closeMaps(maps: Maps): void {
  for (const fd of Object.values(maps)) close(fd);
}
