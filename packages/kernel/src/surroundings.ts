/**
 * What lies around a policed root: sockets that were carried in, and NAT. Who may make network namespaces and sockets has this
 * look at as many as they like: no lock of commands is held meanwhile, and a namespace that can't be looked at
 * hides no other.
 */
import { type BpfError, close, type Fd } from '@sockfilter/bpf';
import { type CarriedSocket, carriedSockets, type Holder } from './carried.js';
import type { Tree } from './cgrouptree.js';
import { looking } from './namespaces.js';
import { type Rewriting, rewritings } from './rewriting.js';

/** Open until it is closed, which may be after the instance was. */
export class Surroundings {
  readonly #tree: Tree;
  /** Undefined of what another release has in force. */
  readonly #ids: { readonly groups: Fd; readonly slot: number } | undefined;

  constructor(tree: Tree, ids: { readonly groups: Fd; readonly slot: number } | undefined) {
    this.#tree = tree;
    this.#ids = ids;
  }

  /**
   * Sockets that wait for peers and were made in another control group than that of who holds them, with another
   * network_id; of these holders, or of all. None of what another release has in force.
   */
  carriedSockets(
    failed: (error: BpfError) => void,
    among?: readonly Holder[],
  ): readonly CarriedSocket[] {
    return this.#ids ? carriedSockets(this.#tree, this.#ids, looking(failed), among) : [];
  }

  /** NAT before or behind the hooks, where policed processes are. */
  rewritings(failed: (error: BpfError) => void): readonly Rewriting[] {
    return rewritings(this.#tree, looking(failed));
  }

  close(): void {
    if (this.#ids) close(this.#ids.groups);
  }
}
