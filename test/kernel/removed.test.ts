/** Sockets of control groups that were removed: they belong to the nearest ancestor that is there. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { EMPTY_TABLE } from '@sockfilter/table';
import { MAX_REMOVED_LEVELS } from '../../packages/kernel/src/layout.js';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

/** Datagrams that are refused, by the id of the control group in which their receiver was made. */
const REFUSED_ID = (id: number) => `-A RECVFROM -p udp -m cgroup --id ${id} -j DROP\n`;

describeKernel('removed control groups', () => {
  let bed: Testbed;
  let policy: Policy;
  let holder: Caller;
  let client: Caller;
  let port = 9000;
  beforeAll(async () => {
    bed = await Testbed.create();
    bed.cgroups.child('policed');
    policy = new Policy(bed.cgroups.childPath('policed'));
    holder = await bed.caller('policed/home');
    client = await bed.caller('client');
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
  });

  const group = (name: string, id: number) =>
    `-G "${name}" --id ${id} --path "${bed.cgroups.childPath(`policed/${name}`)}"\n`;

  /** A udp socket that was made in the control group; its holder is elsewhere again. */
  async function receiverIn(name: string) {
    await holder.call({ op: 'moveTo', cgroup: bed.cgroups.child(`policed/${name}`) });
    const made = await holder.open('dgram', { address: '10.9.9.1', port: ++port });
    await holder.call({ op: 'moveTo', cgroup: bed.cgroups.child('policed/home') });
    return { fd: made.fd, port };
  }

  function removeGroup(name: string): void {
    rmdirSync(join(bed.cgroups.root, 'policed', name));
  }

  /** Whether a datagram reaches the receiver. */
  async function isReached(receiver: { readonly fd: number; readonly port: number }) {
    const fd = await client.socket('inet', 'dgram');
    const to = { address: '10.9.9.1', port: receiver.port };
    await client.call({ op: 'sendto', fd, to });
    await client.close(fd);
    const got = await holder.call({ op: 'recvWithin', fd: receiver.fd, ms: 150 });
    return got.errno === undefined;
  }

  test('a removed group leaves its sockets to its parent, at once and after every change', async () => {
    policy.enforce(group('web', 3) + group('web/child', 4) + REFUSED_ID(3));
    const receiver = await receiverIn('web/child');
    expect(await isReached(receiver)).toBe(true);
    removeGroup('web/child');
    expect(await isReached(receiver)).toBe(false);
    policy.enforce(group('web', 5) + REFUSED_ID(3));
    expect(await isReached(receiver)).toBe(true);
    policy.enforce(group('web', 5) + REFUSED_ID(5));
    expect(await isReached(receiver)).toBe(false);
    policy.enforce(REFUSED_ID(5));
    expect(await isReached(receiver)).toBe(true);
    policy.enforce(group('web', 6) + REFUSED_ID(6));
    expect(await isReached(receiver)).toBe(false);
    // A path that is made again has the id; who was made in the old one has not.
    policy.enforce(group('web', 6) + group('web/child', 7) + REFUSED_ID(7));
    bed.cgroups.child('policed/web/child');
    const again = await receiverIn('web/child');
    expect([await isReached(receiver), await isReached(again)]).toEqual([true, false]);
    removeGroup('web/child');
    removeGroup('web');
    policy.enforce(REFUSED_ID(0));
    expect([await isReached(receiver), await isReached(again)]).toEqual([false, false]);
    policy.enforce(REFUSED_ID(6) + REFUSED_ID(7));
    expect([await isReached(receiver), await isReached(again)]).toEqual([true, true]);
  });

  test('the same for groups that were there before the first commit', async () => {
    policy.teardown();
    const receiver = await receiverIn('old/inner');
    policy.enforce(group('old', 3) + REFUSED_ID(3));
    removeGroup('old/inner');
    expect(await isReached(receiver)).toBe(false);
    policy.enforce(group('old', 4) + REFUSED_ID(3));
    expect(await isReached(receiver)).toBe(true);
  });

  test('what was removed before the first commit fails closed', async () => {
    policy.teardown();
    const receiver = await receiverIn('gone');
    removeGroup('gone');
    policy.enforce(REFUSED_ID(3));
    expect(await isReached(receiver)).toBe(false);
    policy.enforce('-A RECVFROM -p udp --dport 1 -j DROP');
    expect(await isReached(receiver)).toBe(true);
  });

  test(`${MAX_REMOVED_LEVELS} removed levels are climbed, more fail closed`, async () => {
    const path = (levels: number) => Array.from({ length: levels }, (_, n) => `l${n}`).join('/');
    policy.enforce(group('deep', 3) + REFUSED_ID(4));
    const near = await receiverIn(`deep/${path(MAX_REMOVED_LEVELS)}`);
    const far = await receiverIn(`deep/${path(MAX_REMOVED_LEVELS + 1)}`);
    for (let levels = MAX_REMOVED_LEVELS + 1; levels > 0; levels--)
      removeGroup(`deep/${path(levels)}`);
    expect([await isReached(near), await isReached(far)]).toEqual([true, false]);
    policy.enforce(group('deep', 4) + REFUSED_ID(4));
    expect(await isReached(near)).toBe(false);
  });

  test('an entry goes when the last socket does', async () => {
    const count = () => policy.use((firewall) => firewall.status(() => EMPTY_TABLE)?.removed ?? 0);
    policy.enforce(REFUSED_ID(3));
    const before = count();
    const receiver = await receiverIn('brief');
    removeGroup('brief');
    expect(count()).toBe(before + 1);
    await holder.close(receiver.fd);
    for (let n = 0; n < 100 && count() > before; n++) {
      mkdirSync(join(bed.cgroups.root, 'nudge'));
      rmdirSync(join(bed.cgroups.root, 'nudge'));
      await new Promise((done) => setTimeout(done, 50));
    }
    expect(count()).toBe(before);
  });
});
