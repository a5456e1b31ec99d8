/** Loading the programs of hooks and attaching them, where none is attached or another release's. */
import { join } from 'node:path';
import {
  type AttachType,
  attachCgroup,
  attachRawTracepoint,
  close,
  type Fd,
  loadProgram,
  type MapDescriptors,
  openDirectory,
  updateLink,
} from '@sockfilter/bpf';
import { inspectHook } from './attachment.js';
import type { Tree } from './cgrouptree.js';
import type { Hook } from './hooks.js';
import { kernelOffsets } from './offsets.js';
import { type Pins, REPLACING, using } from './pins.js';

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

/** Attaches and pins the hooks, in their order. Throws BpfError. */
export function attachHooks(
  pins: Pins,
  tree: Tree,
  maps: MapDescriptors,
  hooks: readonly Hook[],
): void {
  const offsets = kernelOffsets();
  for (const hook of hooks) {
    pins.unpin(hook.name);
    const link = using(loadProgram(hook.program(offsets), maps), (program) =>
      attach(hook, program, tree),
    );
    using(link, () => pins.pin(hook.name, link));
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
