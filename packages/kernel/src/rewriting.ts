/** NAT that comes before or after what chains judge, in the network namespaces of policed processes. */
import { type NatChain, natChains } from '@sockfilter/bpf';
import type { Tree } from './cgrouptree.js';
import type { InNamespaces } from './namespaces.js';
import { readProcesses } from './processes.js';

export interface Rewriting extends NatChain {
  /** A process in the network namespace. */
  readonly pid: number;
  /** The inode of the network namespace. */
  readonly namespace: number;
}

/** Chains of NAT where policed processes are; each network namespace is looked at once. */
export function rewritings({ root }: Tree, inNamespaces: InNamespaces): readonly Rewriting[] {
  const isPoliced = (path: string) => root === '/' || path === root || path.startsWith(`${root}/`);
  const spaces = new Map<number, number>();
  for (const { pid, cgroup, namespace } of readProcesses())
    if (isPoliced(cgroup) && !spaces.has(namespace)) spaces.set(namespace, pid);
  return [...spaces].flatMap(([namespace, pid]) =>
    inNamespaces([pid], () => natChains().map((chain) => ({ ...chain, pid, namespace }))),
  );
}
