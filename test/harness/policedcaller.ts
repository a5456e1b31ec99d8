/** What tests share that make calls from one control group: a testbed, the policy of all its groups, and a caller in one. */
import type { Caller } from './caller.js';
import { Policy } from './policy.js';
import { Testbed } from './testbed.js';

export interface PolicedCaller {
  readonly bed: Testbed;
  readonly policy: Policy;
  /** In the child group `in`. */
  readonly caller: Caller;
}

/** Makes them before the tests of the describe() that it stands in, and takes them away after those. */
export function beforeCalls(assign: (made: PolicedCaller) => void): void {
  let bed: Testbed | undefined;
  let policy: Policy | undefined;
  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
    assign({ bed, policy, caller: await bed.caller('in') });
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
  });
}
