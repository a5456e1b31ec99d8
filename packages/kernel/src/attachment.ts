/** Attaching programs where they are missing, and telling whether they still are. */
import { join } from 'node:path';
import {
  attachCgroup,
  attachRawTracepoint,
  cgroupId,
  close,
  type Fd,
  kernelBtf,
  linkInfo,
  loadProgram,
  type MapDescriptors,
  openDirectory,
} from '@sockfilter/bpf';
import type { Tree } from './groupmaps.js';
import type { Hook } from './hooks.js';
import { type Offsets, readOffsets } from './offsets.js';
import { type Pins, using } from './pins.js';

export interface Attachment {
  readonly attached: boolean;
  /** The kernel's id of the program; undefined if there is no link. */
  readonly programId: number | undefined;
}

/**
 * What the pinned link of a hook does. A link to a cgroup is dead once that was removed, also if
 * one of the same name has been made since.
 */
export function inspectHook(pins: Pins, tree: Tree, hook: Hook): Attachment {
  const fd = pins.open(hook.name);
  if (fd === undefined) return { attached: false, programId: undefined };
  const { cgroup, programId } = using(fd, (link) => linkInfo(link));
  const attached = cgroup === undefined || cgroup.id === cgroupId(join(tree.mount, tree.root));
  return { attached, programId };
}

function attach(hook: Hook, program: Fd, tree: Tree): Fd {
  if ('tracepoint' in hook.attach) return attachRawTracepoint(program, hook.attach.tracepoint);
  const { cgroup } = hook.attach;
  return using(openDirectory(join(tree.mount, tree.root)), (fd) =>
    attachCgroup(program, fd, cgroup),
  );
}

/**
 * Attaches and pins those of the hooks that are not attached; says how many there were that had a
 * link once, and how many that had none. Throws BpfError.
 */
export function attachMissing(
  pins: Pins,
  tree: Tree,
  maps: MapDescriptors,
  hooks: readonly Hook[],
): { readonly dead: number; readonly absent: number } {
  const found = { dead: 0, absent: 0 };
  let offsets: Offsets | undefined;
  for (const hook of hooks) {
    const { attached, programId } = inspectHook(pins, tree, hook);
    if (attached) continue;
    found[programId === undefined ? 'absent' : 'dead'] += 1;
    pins.unpin(hook.name);
    offsets ??= readOffsets(kernelBtf());
    const link = using(loadProgram(hook.program(offsets), maps), (program) =>
      attach(hook, program, tree),
    );
    pins.pin(hook.name, link);
    close(link);
  }
  return found;
}
