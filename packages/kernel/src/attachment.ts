/** Attaching programs where they are missing, and telling whether they still are. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AttachType,
  attachCgroup,
  attachRawTracepoint,
  BpfError,
  cgroupId,
  close,
  detachLink,
  type Fd,
  hasBpfLsm,
  linkInfo,
  loadProgram,
  type MapDescriptors,
  openDirectory,
  updateLink,
} from '@sockfilter/bpf';
import type { Tree } from './cgrouptree.js';
import type { Hook } from './hooks.js';
import { kernelOffsets, type Offsets } from './offsets.js';
import { type Pins, REPLACING, using } from './pins.js';

export interface Attachment {
  readonly attached: boolean;
  /** The kernel's id of the program; undefined if there is no link. */
  readonly programId: number | undefined;
}

/** The id of the policed cgroup; undefined once it is removed. */
function rootId({ mount, root }: Tree): bigint | undefined {
  const folder = join(mount, root);
  return existsSync(folder) ? cgroupId(folder) : undefined;
}

/**
 * What the pinned link of a hook does. A link to a cgroup is dead once that was removed, also if
 * one of the same name has been made since.
 */
export function inspectHook(pins: Pins, tree: Tree, hook: Hook): Attachment {
  const fd = pins.open(hook.name);
  if (fd === undefined) return { attached: false, programId: undefined };
  const { cgroup, programId } = using(fd, (link) => linkInfo(link));
  return { attached: cgroup === undefined || cgroup.id === rootId(tree), programId };
}

function attach(hook: Hook, program: Fd, tree: Tree): Fd {
  if ('tracepoint' in hook.attach) return attachRawTracepoint(program, hook.attach.tracepoint);
  const type: AttachType = 'cgroup' in hook.attach ? hook.attach.cgroup : 'lsm_cgroup';
  return using(openDirectory(join(tree.mount, tree.root)), (fd) => attachCgroup(program, fd, type));
}

/** Loads the hook's program and attaches it, as long as the link is open. Throws BpfError and UnsupportedError. */
export function tryHook(hook: Hook, tree: Tree, maps: MapDescriptors): Fd {
  return using(loadProgram(hook.program(kernelOffsets()), maps), (program) =>
    attach(hook, program, tree),
  );
}

/** Attaches and pins those of the hooks that are not attached. Throws BpfError. */
export function attachMissing(
  pins: Pins,
  tree: Tree,
  maps: MapDescriptors,
  hooks: readonly Hook[],
): void {
  let offsets: Offsets | undefined;
  for (const hook of hooks) {
    if (inspectHook(pins, tree, hook).attached) continue;
    pins.unpin(hook.name);
    offsets ??= kernelOffsets();
    const link = using(loadProgram(hook.program(offsets), maps), (program) =>
      attach(hook, program, tree),
    );
    using(link, () => pins.pin(hook.name, link));
  }
}

/**
 * Attaches those of the hooks that this kernel takes, of what only answers: rules are enforced without.
 * Where it says that it has none of BPF LSM, nothing is tried.
 */
export function attachPossible(
  pins: Pins,
  tree: Tree,
  maps: MapDescriptors,
  hooks: readonly Hook[],
): void {
  if (!hasBpfLsm()) return;
  try {
    attachMissing(pins, tree, maps, hooks);
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
  }
}

/** Pins a link in the place of what has the name: one of the two is there at any moment. */
function replacePin(pins: Pins, name: string, link: Fd): void {
  const next = `${name}${REPLACING}`;
  pins.unpin(next);
  pins.pin(next, link);
  pins.rename(next, pins, name);
}

/**
 * Puts this release's programs in the place of those that are attached, each at once: no call meets both or
 * neither. What is not attached is. All are loaded before the first is replaced. Throws BpfError.
 */
export function replacePrograms(
  pins: Pins,
  tree: Tree,
  maps: MapDescriptors,
  hooks: readonly Hook[],
): void {
  const offsets = kernelOffsets();
  const programs: { readonly hook: Hook; readonly program: Fd }[] = [];
  try {
    for (const hook of hooks)
      programs.push({ hook, program: loadProgram(hook.program(offsets), maps) });
    for (const { hook, program } of programs) {
      const link = pins.open(hook.name);
      // A tracepoint's program can't be replaced: for a moment both run, and do the same.
      const isUpdated = 'cgroup' in hook.attach && inspectHook(pins, tree, hook).attached;
      const replace = () =>
        using(attach(hook, program, tree), (made) => replacePin(pins, hook.name, made));
      if (link === undefined) replace();
      else using(link, () => (isUpdated ? updateLink(link, program) : replace()));
    }
  } finally {
    for (const { program } of programs) close(program);
  }
}

/**
 * Detaches a hook of calls at once. A link that is unpinned only goes a grace period later, and a
 * packet would be counted twice if another were attached until then.
 */
export function detach(pins: Pins, hook: Hook): void {
  const fd = pins.open(hook.name);
  if (fd !== undefined) using(fd, (link) => detachLink(link));
  pins.unpin(hook.name);
}
