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
import { bootTime } from './bootclock.js';
import type { Tree } from './cgrouptree.js';
import { DamageError } from './damage.js';
import { findHolder } from './elsewhere.js';
import { isFolded, readHeader } from './generationmap.js';
import { CALL_HOOKS, HOOKS } from './hooks.js';
import type { LoadedGeneration } from './inforce.js';
import { FORMAT, TABLE_SLOTS } from './layout.js';
import { nap } from './lock.js';
import { MAPS } from './mapnames.js';
import { TABLE_MAP_NAME } from './maps.js';
import { GENERATION_PIN, generationPin, type Pins, REPLACING, SPARE_PIN, using } from './pins.js';
import { slotKey } from './slotkey.js';
import { UnsupportedError } from './unsupported.js';

/** A table that somebody has asked for is in force. */
export interface InForceInstance {
  readonly state: 'inForce';
  readonly generation: LoadedGeneration;
  /** The one before, whose counts have not been folded in yet: a commit was interrupted. */
  readonly before: LoadedGeneration | undefined;
  /** The pin of the one before was taken away, and its counts with it. */
  readonly isCountLost: boolean;
  /** Whose programs walk it: an older release's, those of both while an upgrade is under way, or ours. */
  readonly release: 'own' | 'older' | 'both';
  readonly trial: Trial | undefined;
}

/** A table that is undone past its deadline, as `restore --confirm` puts it in force. */
export type Trial =
  /** It is in force; `other` is what to go back to. */
  | { readonly state: 'pending'; readonly other: LoadedGeneration; readonly deadline: bigint }
  /** Its deadline has passed: what is in force is the one before, and `other` is the one that was tried. */
  | { readonly state: 'undone'; readonly other: LoadedGeneration };

export type Instance =
  /** Nothing is pinned and nothing attached. */
  | { readonly state: 'absent' }
  /** A first commit or a teardown was interrupted: what is left of it lets every call pass. */
  | { readonly state: 'unfinished'; readonly generation: LoadedGeneration | undefined }
  /** Made by a release that this one can't take over from. */
  | {
      readonly state: 'foreign';
      readonly generation: LoadedGeneration;
      readonly error: UnsupportedError;
    }
  | InForceInstance
  | { readonly state: 'damaged'; readonly error: DamageError }
  /** Enforced by programs that are pinned in a bpffs which is not to be seen here. */
  | { readonly state: 'elsewhere'; readonly error: DamageError };

/** A link whose last descriptor has gone detaches a moment later. */
const SETTLE_MS = [5, 20, 100, 400];

const PINS: ReadonlySet<string> = new Set([
  ...Object.values(MAPS),
  ...HOOKS.map(({ name }) => name),
  SPARE_PIN,
]);

/** Whether an instance pins anything by that name. */
export function isPinName(name: string): boolean {
  const isReplacing = name.endsWith(REPLACING) && PINS.has(name.slice(0, -REPLACING.length));
  return PINS.has(name) || isReplacing || GENERATION_PIN.test(name);
}

/** The id of the table of ours that the program walks, whoever pinned it; undefined if it walks none. */
function tableOf(programId: number): number | undefined {
  const program = programById(programId);
  if (program === undefined) return undefined;
  return using(program, (fd) => programInfo(fd).mapIds).find((id) => {
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
  const find = () =>
    programsAtRoot(tree).filter((id) => !pinned.has(id) && tableOf(id) !== undefined);
  let stray = find();
  for (const ms of SETTLE_MS) {
    if (stray.length === 0) break;
    nap(ms);
    stray = find();
  }
  return stray;
}

function elsewhere(pins: Pins, { root }: Tree, programs: readonly number[]): DamageError {
  const holder = findHolder({
    bpffs: pins.bpffs,
    pin: join(pins.folder, MAPS.table),
    tables: new Set(programs.flatMap((id) => tableOf(id) ?? [])),
  });
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

/** The generation that the slot of the table holds; undefined where it is empty. */
function generationIn(table: Fd, slot: number): LoadedGeneration | undefined {
  const id = lookup(table, slotKey(slot), 4);
  const fd = id && mapById(new DataView(id.buffer).getUint32(0, true));
  return fd === undefined ? undefined : { fd, header: readHeader(fd) };
}

/** The pinned generation of the highest number below one, whose counts an interrupted commit has left. */
function replacedBy(pins: Pins, { header }: LoadedGeneration): LoadedGeneration | undefined {
  const numbers = pins
    .list()
    .flatMap((name) => Number(GENERATION_PIN.exec(name)?.[1] ?? header.sequence))
    .filter((sequence) => sequence < header.sequence);
  if (numbers.length === 0) return undefined;
  const fd = pins.open(generationPin(Math.max(...numbers)));
  return fd === undefined ? undefined : { fd, header: readHeader(fd) };
}

type Found = Pick<InForceInstance, 'generation' | 'before' | 'release' | 'trial'>;

function inForce(found: Found): Instance {
  const { generation, before } = found;
  const isCountLost = !before && !isFolded(generation.fd, generation.header);
  return { state: 'inForce', ...found, isCountLost };
}

/** What a release of this FORMAT has put in force. */
function ownInstance(pins: Pins, table: Fd, first: LoadedGeneration): Instance {
  const { deadline } = first.header;
  const other = deadline === 0n ? undefined : generationIn(table, TABLE_SLOTS.fallback);
  if (deadline !== 0n && !other) {
    close(first.fd);
    return {
      state: 'damaged',
      error: new DamageError(
        `the table on trial in ${pins.folder} has none to go back to`,
        'run `sockfilter teardown`, which lets every call pass, and restore the rules',
      ),
    };
  }
  const isOver = other !== undefined && bootTime() >= deadline;
  const generation = isOver ? other : first;
  const trial: Trial | undefined =
    other && (isOver ? { state: 'undone', other: first } : { state: 'pending', other, deadline });
  if (generation.header.textBytes === 0) {
    if (trial) close(trial.other.fd);
    return { state: 'unfinished', generation };
  }
  const before = isFolded(generation.fd, generation.header)
    ? undefined
    : replacedBy(pins, generation);
  return inForce({ generation, before, release: 'own', trial });
}

function foreign(generation: LoadedGeneration, made: string): Instance {
  const error = new UnsupportedError(
    `${made} (format ${generation.header.format}, not ${FORMAT}), and no older release takes over from a newer one`,
    'use that release; or save the rules with it, run `sockfilter teardown`, which lets every call pass, and restore them',
  );
  return { state: 'foreign', generation, error };
}

/** What another release has put in force, or an upgrade that was interrupted. */
function otherInstance(pins: Pins, old: LoadedGeneration): Instance {
  if (old.header.format > FORMAT)
    return foreign(old, 'a newer release of sockfilter made what is in force');
  const isMarked = (next: LoadedGeneration) => next.header.format === old.header.format;
  const table = pins.next().open(MAPS.table);
  const next = table && using(table, (fd) => generationIn(fd, TABLE_SLOTS.inForce));
  if (next && isMarked(next)) {
    if (old.header.format !== FORMAT) {
      close(next.fd);
      return foreign(old, 'an upgrade of sockfilter was interrupted');
    }
    if (!isFolded(next.fd, next.header))
      return inForce({ generation: next, before: old, release: 'both', trial: undefined });
    close(old.fd);
    return inForce({ generation: next, before: undefined, release: 'both', trial: undefined });
  }
  if (next) close(next.fd);
  const before = isFolded(old.fd, old.header) ? undefined : replacedBy(pins, old);
  return inForce({ generation: old, before, release: 'older', trial: undefined });
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
    const generation = generationIn(fd, TABLE_SLOTS.inForce);
    if (!generation) return without('what the map `table` held');
    const { header } = generation;
    // Nobody has asked for a table without a text.
    if (header.textBytes === 0) return { state: 'unfinished', generation };
    const isOwn = header.format === FORMAT && !pins.next().has(MAPS.table);
    return isOwn ? ownInstance(pins, fd, generation) : otherInstance(pins, generation);
  });
}

/** What is in force; undefined where nothing is. Throws where it can't be told, or isn't ours. */
export function inForceOf(instance: Instance): InForceInstance | undefined {
  switch (instance.state) {
    case 'absent':
    case 'unfinished':
      return undefined;
    case 'inForce':
      return instance;
    case 'damaged':
    case 'elsewhere':
    case 'foreign':
      throw instance.error;
  }
}

/** A generation that is all there is. */
export function ownInForce(generation: LoadedGeneration): InForceInstance {
  return {
    state: 'inForce',
    generation,
    before: undefined,
    isCountLost: false,
    release: 'own',
    trial: undefined,
  };
}

export function closeInstance(instance: Instance): void {
  if ('generation' in instance && instance.generation) close(instance.generation.fd);
  if (instance.state !== 'inForce') return;
  if (instance.before) close(instance.before.fd);
  if (instance.trial) close(instance.trial.other.fd);
}
