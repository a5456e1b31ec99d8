/**
 * Whether what is in force is what its text says. All of it is made anew from the text and compared with what the kernel
 * has: nodes, what programs must know of chains, hooks, and the ids of control groups.
 */
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  type Decision,
  elementAt,
  escapePath,
  type Packet,
  type Table,
} from '@sockfilter/table';
import { callOf } from './askedcall.js';
import { type Unassigned, unassigned } from './assignment.js';
import { inspectHook } from './attachment.js';
import { type WalkableBlob, walkBlob } from './blobwalk.js';
import type { Tree } from './cgrouptree.js';
import { type CompiledTable, compileTable, headOf, withSlots } from './generation.js';
import { readSetSlots, readSlots, readStanding } from './generationmap.js';
import { chainsLeftOut, settledIn } from './header.js';
import { CALL_HOOKS, isNeeded, TRACEPOINTS, tellsListeners } from './hooks.js';
import type { LoadedGeneration } from './inforce.js';
import { FIRST_NODE, HEADER } from './layout.js';
import { nap } from './lock.js';
import type { Maps } from './maps.js';
import { settledCounter } from './nodes.js';
import { type Registered, registeredPaths, registrationOf } from './pathmap.js';
import type { Pins } from './pins.js';
import { differingCall } from './samenodes.js';

/** A call that comes to something else in force than by the text. */
export interface MisjudgedCall {
  readonly packet: Packet;
  readonly inForce: Decision;
  readonly byText: Decision;
}

/** Something in force that is not what the text says. */
export interface Difference {
  readonly part: 'nodes' | 'header' | 'hooks' | 'groups';
  readonly message: string;
  /** Of nodes, where one was found that has no opaque test in its way. */
  readonly call?: MisjudgedCall;
}

interface Kernel {
  readonly pins: Pins;
  readonly tree: Tree;
  readonly generation: LoadedGeneration;
  readonly maps: Pick<Maps, 'groups' | 'paths'>;
}

/** What a call that is asked so comes to by both; undefined where they decide alike, as opaque tests may be in its way. */
function misjudged(
  nodes: WalkableBlob,
  made: WalkableBlob,
  packet: Packet,
): MisjudgedCall | undefined {
  const [inForce, byText] = [walkBlob(nodes, packet), walkBlob(made, packet)];
  const isSame = inForce.errno === byText.errno && inForce.counted.join() === byText.counted.join();
  return isSame ? undefined : { packet, inForce, byText };
}

/** The chains whose nodes say something else than those that are made of the text. */
function* differingNodes(
  { fd, header }: LoadedGeneration,
  compiled: CompiledTable,
): Generator<Difference> {
  const { blob } = compiled;
  const { words, head: bytes } = readStanding(fd, header);
  const slots = { slots: readSlots(fd, header), setSlots: readSetSlots(fd, header) };
  const made: WalkableBlob = { ...blob, words: withSlots(compiled, slots) };
  const nodes: WalkableBlob = { words, first: FIRST_NODE, entries: header.entries };
  const differing = (chain: BuiltinChain, left: number, right: number) =>
    differingCall(nodes, made, chain, { left, right });
  for (const chain of BUILTIN_CHAINS) {
    const asked = differing(chain, nodes.entries[chain], made.entries[chain]);
    if (!asked) continue;
    const call = misjudged(nodes, made, callOf(chain, asked));
    const message = `the nodes of ${chain} do not say what its rules say`;
    yield { part: 'nodes', message, ...(call && { call }) };
  }
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isOtherForListeners = blob.listenerEntries.some((entry, n) => {
    const standing = head.getUint32(HEADER.listeners + 4 * n, true);
    return standing === 0 || differing('ACCEPT', standing, entry);
  });
  if (isOtherForListeners)
    yield {
      part: 'nodes',
      message: 'the nodes of listeners do not say what the rules of ACCEPT say',
    };
  for (const chain of BUILTIN_CHAINS)
    if (settledIn(head, chain) !== settledCounter(nodes, header.entries[chain]))
      yield { part: 'header', message: `programs are not told whether all calls of ${chain} pass` };
  const whole = headOf(compiled);
  for (const chain of chainsLeftOut(head, whole))
    yield { part: 'header', message: `programs are not told all that ${chain} asks for` };
  if (head.getUint32(HEADER.denyUnseen, true) !== whole.getUint32(HEADER.denyUnseen, true))
    yield { part: 'header', message: 'programs are not told whether `--deny-unseen` is set' };
}

/** The same; nodes that are damaged are told as well. */
function compareNodes(generation: LoadedGeneration, table: Table): readonly Difference[] {
  const compiled = compileTable(table, { tellsListeners: tellsListeners(table) });
  const { header } = generation;
  const numbers = [
    ['rules', header.rules, compiled.rules],
    ['counters', header.counters, compiled.owners.length],
    ['opaque tests', header.tests, compiled.tests.length],
    ['sets', header.sets, compiled.sets.length],
  ] as const;
  const odd = numbers.find(([, inForce, byText]) => inForce !== byText);
  if (odd) {
    const [what, inForce, byText] = odd;
    return [
      { part: 'header', message: `${inForce} ${what} are in force, and its text has ${byText}` },
    ];
  }
  try {
    return [...differingNodes(generation, compiled)];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [{ part: 'nodes', message: `the nodes can't be walked: ${error.message}` }];
  }
}

function* missingHooks({ pins, tree }: Kernel, table: Table): Generator<Difference> {
  for (const hook of [...TRACEPOINTS, ...CALL_HOOKS])
    if (isNeeded(hook, table) && !inspectHook(pins, tree, hook).attached)
      yield { part: 'hooks', message: `the rules need \`${hook.name}\`, and it is not attached` };
}

/** Milliseconds in which whoever makes a control group gives it its id. */
const SETTLE_MS = 100;

/** Control groups with another id than theirs; those that come and go meanwhile are not told. */
function misassigned(
  { tree, generation, maps }: Kernel,
  registered: Registered,
): readonly Unassigned[] {
  const { idSlot: slot, idEpoch: epoch } = generation.header;
  const find = () => [...unassigned(maps.groups, tree, { slot, epoch }, registered)];
  const first = find();
  if (first.length === 0) return [];
  nap(SETTLE_MS);
  const known = new Set(first.map(({ entry }) => entry.cgroup));
  return find().filter(({ entry }) => known.has(entry.cgroup));
}

/** Control groups that are named; the others are counted. */
const MOST_NAMED = 3;

function* differingGroups(kernel: Kernel, { groups }: Table): Generator<Difference> {
  const { tree, generation, maps } = kernel;
  const { idSlot: slot } = generation.header;
  const wanted = registrationOf(groups, escapePath(tree.root));
  const registered = registeredPaths(maps.paths, slot);
  const texts = new Set([...wanted.keys(), ...registered.keys()]);
  for (const text of texts)
    if (wanted.get(text) !== registered.get(text))
      yield {
        part: 'groups',
        message: `${escapePath(text)} has network_id ${registered.get(text) ?? 0} for control groups to come, and its text says ${wanted.get(text) ?? 0}`,
      };
  const wrong = misassigned(kernel, wanted);
  for (const { entry, id } of wrong.slice(0, MOST_NAMED)) {
    const has =
      entry.epochs[slot] === generation.header.idEpoch
        ? `network_id ${elementAt(entry.ids, slot)}`
        : 'no network_id, and fails closed';
    yield {
      part: 'groups',
      message: `the control group with inode ${entry.cgroup} has ${has}; its text says ${id}`,
    };
  }
  if (wrong.length > MOST_NAMED)
    yield {
      part: 'groups',
      message: `so have ${wrong.length - MOST_NAMED} more control groups`,
    };
}

/**
 * What of a table in force is not what the table says that its text was read to; nothing where all of it is. Throws LimitError and
 * CapacityError where the text can't be compiled any more.
 */
export function verify(kernel: Kernel, table: Table): readonly Difference[] {
  return [
    ...compareNodes(kernel.generation, table),
    ...missingHooks(kernel, table),
    ...differingGroups(kernel, table),
  ];
}
