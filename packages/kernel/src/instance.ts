/**
 * What there is of an instance, found by looking alone: a command that reads changes nothing.
 *
 * A first commit makes the maps, puts a generation that lets everything pass in the `table`, and then
 * attaches the hooks; a teardown goes the other way. So no interruption leaves a hook of calls without
 * a table. Where one is found, somebody has taken pins away, and the kernel goes on enforcing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  close,
  type Fd,
  lookup,
  mapById,
  mapInfo,
  openDirectory,
  programById,
  programInfo,
  queryCgroup,
} from '@sockfilter/bpf';
import { type Attachment, inspectHook } from './attachment.js';
import type { Tree } from './cgrouptree.js';
import { DamageError } from './damage.js';
import { findHolder } from './elsewhere.js';
import { isFolded, readHeader } from './generationmap.js';
import { CALL_HOOKS, TRACEPOINTS } from './hooks.js';
import type { LoadedGeneration } from './inforce.js';
import { FORMAT } from './layout.js';
import { nap } from './lock.js';
import { MAPS, TABLE_MAP_NAME } from './maps.js';
import { GENERATION_PIN, type Pins, using } from './pins.js';

export type Instance =
  /** Nothing is pinned and nothing attached. */
  | { readonly state: 'absent' }
  /** A first commit or a teardown was interrupted: what is left of it lets every call pass. */
  | { readonly state: 'unfinished'; readonly generation: LoadedGeneration | undefined }
  /** Made by a version of the tool that lays generations out otherwise. */
  | { readonly state: 'foreign'; readonly generation: LoadedGeneration }
  | {
      readonly state: 'inForce';
      readonly generation: LoadedGeneration;
      /** The one before, whose counts have not been folded in yet: a commit was interrupted. */
      readonly before: LoadedGeneration | undefined;
    }
  | { readonly state: 'damaged'; readonly error: DamageError }
  /** Enforced by programs that are pinned in a bpffs which is not to be seen here. */
  | { readonly state: 'elsewhere'; readonly error: DamageError };

const SLOT_KEY = new Uint8Array(4);

/** A link whose last descriptor has gone detaches a moment later. */
const SETTLE_MS = [5, 20, 100, 400];

const PINS: ReadonlySet<string> = new Set([
  ...Object.values(MAPS),
  ...[...TRACEPOINTS, ...CALL_HOOKS].map(({ name }) => name),
]);

/** Whether an instance pins anything by that name. */
export function isPinName(name: string): boolean {
  return PINS.has(name) || GENERATION_PIN.test(name);
}

/** Whether the program walks a table of ours, whoever pinned it. */
function walksTable(programId: number): boolean {
  const program = programById(programId);
  if (program === undefined) return false;
  return using(program, (fd) => programInfo(fd).mapIds).some((id) => {
    const map = mapById(id);
    return map !== undefined && using(map, (fd) => mapInfo(fd).name === TABLE_MAP_NAME);
  });
}

/** The programs that run for calls at the root itself, whosever they are. */
function programsAtRoot({ mount, root }: Tree): readonly number[] {
  const folder = join(mount, root);
  if (!existsSync(folder)) return [];
  return using(openDirectory(folder), (cgroup) =>
    CALL_HOOKS.flatMap(({ attach }) =>
      'cgroup' in attach ? queryCgroup(cgroup, attach.cgroup) : [],
    ),
  );
}

/** The programs of ours that no pin here holds, once what has been let go of had time to go. */
function strayPrograms(tree: Tree, hooks: readonly Attachment[]): readonly number[] {
  const pinned = new Set(hooks.map(({ programId }) => programId));
  const find = () => programsAtRoot(tree).filter((id) => !pinned.has(id) && walksTable(id));
  let stray = find();
  for (const ms of SETTLE_MS) {
    if (stray.length === 0) break;
    nap(ms);
    stray = find();
  }
  return stray;
}

function elsewhere(pins: Pins, { root }: Tree, programs: readonly number[]): DamageError {
  const holder = findHolder(pins.folder);
  const command = holder && `nsenter --mount=/proc/${holder.pid}/ns/mnt sockfilter`;
  return new DamageError(
    `rules are enforced at \`${root}\` by programs that ${pins.folder} does not hold (${programs.join(', ')})`,
    holder
      ? `they are pinned where pid ${holder.pid} (${holder.command}) sees them: run \`${command}\` with what you want`
      : 'run it in the mount namespace in which they were loaded, where bpffs shows their pins',
  );
}

function damaged(pins: Pins, { root }: Tree, what: string): DamageError {
  return new DamageError(
    `${what} in ${pins.folder} is gone, and the rules at \`${root}\` are enforced all the same`,
    'have the rules at hand, then run `sockfilter teardown`, which lets every call pass, and restore them',
  );
}

/** The generation that the table's slot holds; undefined where it is empty. */
function generationOf(table: Fd): LoadedGeneration | undefined {
  const id = lookup(table, SLOT_KEY, 4);
  const fd = id && mapById(new DataView(id.buffer).getUint32(0, true));
  return fd === undefined ? undefined : { fd, header: readHeader(fd) };
}

/** The generation that an interrupted commit has replaced; its counts are still to be folded in. */
function unfolded(pins: Pins, { fd, header }: LoadedGeneration): LoadedGeneration | undefined {
  if (isFolded(fd, header)) return undefined;
  for (const name of pins.list()) {
    const sequence = Number(GENERATION_PIN.exec(name)?.[1] ?? header.sequence);
    if (sequence >= header.sequence) continue;
    const before = pins.open(name);
    if (before !== undefined) return { fd: before, header: readHeader(before) };
  }
  return undefined;
}

/** Opens what is there. The caller closes the generations of the answer, with `closeInstance`. */
export function inspectInstance(pins: Pins, tree: Tree): Instance {
  const hooks = CALL_HOOKS.map((hook) => inspectHook(pins, tree, hook));
  const stray = strayPrograms(tree, hooks);
  if (stray.length > 0) return { state: 'elsewhere', error: elsewhere(pins, tree, stray) };
  const isJudged = hooks.some(({ attached }) => attached);
  const table = pins.open(MAPS.table);
  const without = (what: string): Instance => {
    if (isJudged) return { state: 'damaged', error: damaged(pins, tree, what) };
    return pins.list().some(isPinName)
      ? { state: 'unfinished', generation: undefined }
      : { state: 'absent' };
  };
  if (table === undefined) return without('the pin `table`');
  return using(table, (fd) => {
    if (mapInfo(fd).name !== TABLE_MAP_NAME) return without('the map of the pin `table`');
    const generation = generationOf(fd);
    if (!generation) return without('what the map `table` held');
    const { header } = generation;
    if (header.format !== FORMAT) return { state: 'foreign', generation };
    // Nobody has asked for a table without a text.
    if (header.textBytes === 0) return { state: 'unfinished', generation };
    return { state: 'inForce', generation, before: unfolded(pins, generation) };
  });
}

export function closeInstance(instance: Instance): void {
  if ('generation' in instance && instance.generation) close(instance.generation.fd);
  if (instance.state === 'inForce' && instance.before) close(instance.before.fd);
}
