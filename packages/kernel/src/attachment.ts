/** Telling whether the programs of hooks are attached, and detaching them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupId, detachLink, linkInfo } from '@sockfilter/bpf';
import type { Tree } from './cgrouptree.js';
import type { Hook } from './hooks.js';
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

/**
 * Detaches a hook of calls at once. A link that is unpinned only goes a grace period later, and a
 * packet would be counted twice if another were attached until then.
 */
export function detach(pins: Pins, hook: Hook): void {
  const fd = pins.open(hook.name);
  if (fd !== undefined) using(fd, (link) => detachLink(link));
  pins.unpin(hook.name);
}
