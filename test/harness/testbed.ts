/** All that a kernel test needs at once: control groups, a network namespace, and callers in both. */
import { Caller, type CallerOptions } from './caller.js';
import { CgroupTree } from './cgroups.js';
import { NetworkNamespace } from './netns.js';

export class Testbed {
  readonly cgroups: CgroupTree;
  readonly network: NetworkNamespace;
  readonly #callers: Caller[] = [];

  private constructor(cgroups: CgroupTree, network: NetworkNamespace) {
    this.cgroups = cgroups;
    this.network = network;
  }

  static async create(): Promise<Testbed> {
    const cgroups = await CgroupTree.create();
    try {
      return new Testbed(cgroups, await NetworkNamespace.create());
    } catch (error) {
      await cgroups.remove();
      throw error;
    }
  }

  /** Starts a caller in the child group `name`, by default in the testbed's network namespace. */
  async caller(name: string, options: CallerOptions = {}): Promise<Caller> {
    const directory = this.cgroups.child(name);
    const caller = await Caller.start(directory, { netns: this.network.path, ...options });
    this.#callers.push(caller);
    return caller;
  }

  /** Ends and removes everything, also after a failure. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#callers.map((caller) => caller.stop()));
    await this.network.remove();
    await this.cgroups.remove();
  }
}
