/** Hooks that are to be attached where they are not: what attaches them is loaded for those alone. */
import { BpfError, hasBpfLsm, type MapDescriptors } from '@sockfilter/bpf';
import { attachHooks } from './attaching.js';
import { inspectHook } from './attachment.js';
import type { Tree } from './cgrouptree.js';
import type { Hook } from './hooks.js';
import type { Pins } from './pins.js';

/** Attaches and pins those of the hooks that are not attached. Throws BpfError. */
export function attachMissing(
  pins: Pins,
  tree: Tree,
  maps: MapDescriptors,
  hooks: readonly Hook[],
): void {
  const missing = hooks.filter((hook) => !inspectHook(pins, tree, hook).attached);
  if (missing.length > 0) attachHooks(pins, tree, maps, missing);
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
