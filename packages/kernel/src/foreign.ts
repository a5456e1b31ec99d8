/** Programs of others at the policed control group. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { close, openDirectory, programById, programInfo, queryCgroup } from '@sockfilter/bpf';
import type { Tree } from './cgrouptree.js';
import type { Hook } from './hooks.js';
import { using } from './pins.js';

/** One that runs after ours, and so can set a refusal back: bpf_set_retval, Linux 5.18. */
export interface LaterProgram {
  /** The name of the hook. */
  readonly hook: string;
  readonly programId: number;
  /** The name that it was loaded with; empty if it has none. */
  readonly name: string;
}

function nameOf(id: number): string {
  const fd = programById(id);
  return fd === undefined ? '' : using(fd, (program) => programInfo(program).name);
}

/** What runs after ours at the root, by hook; empty once the root is removed. Throws BpfError. */
export function laterPrograms(
  { mount, root }: Tree,
  hooks: readonly (Pick<Hook, 'name' | 'attach'> & { readonly programId: number | undefined })[],
): readonly LaterProgram[] {
  const folder = join(mount, root);
  if (!existsSync(folder)) return [];
  const cgroup = openDirectory(folder);
  try {
    return hooks.flatMap(({ name, attach, programId }) => {
      if (programId === undefined || !('cgroup' in attach)) return [];
      const ids = queryCgroup(cgroup, attach.cgroup);
      const ours = ids.indexOf(programId);
      if (ours < 0) return [];
      return ids.slice(ours + 1).map((id) => ({ hook: name, programId: id, name: nameOf(id) }));
    });
  } finally {
    close(cgroup);
  }
}
