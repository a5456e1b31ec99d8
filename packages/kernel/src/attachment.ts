/** Attaching programs where they are missing, and telling whether they still are. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  attachCgroup,
  attachRawTracepoint,
  cgroupId,
  close,
  detachLink,
  type Fd,
  kernelBtf,
  linkInfo,
  loadProgram,
  type MapDescriptors,
  openDirectory,
} from '@sockfilter/bpf';
import type { Tree } from './cgrouptree.js';
import type { Hook } from './hooks.js';
import { type Offsets, readOffsets } from './offsets.js';
import { type Pins, using } from './pins.js';

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
  const { cgroup } = hook.attach;
  return using(openDirectory(join(tree.mount, tree.root)), (fd) =>
    attachCgroup(program, fd, cgroup),
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
    offsets ??= readOffsets(kernelBtf());
    const link = using(loadProgram(hook.program(offsets), maps), (program) =>
      attach(hook, program, tree),
    );
    pins.pin(hook.name, link);
    close(link);
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
