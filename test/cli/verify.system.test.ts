/** What somebody changes in the kernel's maps behind our back: `status --verify` tells it, and opens nothing; a restore mends it. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { close, type Fd, lookupRun, openPinned, updateRun } from '@sockfilter/bpf';
import { chainNumber, elementAt } from '@sockfilter/table';
import { groupEntries, replaceEntry } from '../../packages/kernel/src/groupmap.js';
import { decodeHeader } from '../../packages/kernel/src/header.js';
import { HEAD_BYTES, HEADER, OP, PAGE_BYTES } from '../../packages/kernel/src/layout.js';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Testbed } from '../harness/testbed.js';
import { Workplace } from './command.js';

describeKernel('what is in force and its text', () => {
  let bed: Testbed;
  let place: Workplace;
  let caller: Caller;
  beforeAll(async () => {
    bed = await Testbed.create();
    place = new Workplace({ SOCKFILTER_ROOT: bed.cgroups.path });
    caller = await bed.caller('in');
  });
  afterAll(async () => {
    place?.run(['teardown']);
    await bed?.close();
    place?.remove();
  });
  beforeEach(() => {
    place.write(
      'rules',
      `*socket
-G in --id 3 --path ${bed.cgroups.path}/in
-A CONNECT -p udp -m cgroup --id 3 --dport 7001 -j DROP
COMMIT
`,
    );
    place.expectStatus(['restore', 'rules'], 0);
    place.expectStatus(['status', '--verify'], 0);
  });

  const pins = () =>
    join('/sys/fs/bpf/sockfilter', bed.cgroups.path.slice(1).replaceAll('-', '\\x2d'));

  function usingPin<T>(name: RegExp, use: (fd: Fd) => T): T {
    const pin = elementAt(
      readdirSync(pins()).filter((each) => name.test(each)),
      0,
    );
    const fd = openPinned(join(pins(), pin));
    if (fd === undefined) throw new Error(`no pin ${pin}`);
    try {
      return use(fd);
    } finally {
      close(fd);
    }
  }

  /** Changes a page of the generation in force. */
  function changePage(page: number, change: (view: DataView) => void): void {
    usingPin(/^generation-/, (fd) => {
      const bytes = new Uint8Array(PAGE_BYTES);
      lookupRun(fd, page, bytes, PAGE_BYTES);
      change(new DataView(bytes.buffer));
      updateRun(fd, page, bytes, PAGE_BYTES);
    });
  }

  async function connect(): Promise<string> {
    const fd = await caller.socket('inet', 'dgram');
    const outcome = await caller.connect(fd, { address: '127.0.0.1', port: 7001 });
    await caller.close(fd);
    return outcome;
  }

  function verify() {
    const json = JSON.parse(place.expectStatus(['status', '--verify', '--json'], 1).stdout);
    const { stdout, stderr } = place.expectStatus(['status', '--verify'], 1);
    expect(stderr).toMatch(/^sockfilter: what is in force is not what its text says/);
    expect(stdout).not.toContain('verified');
    return { stdout, stderr, differences: json.differences };
  }

  function mend(): void {
    place.expectStatus(['save', '-c', '-f', 'saved'], 0);
    place.expectStatus(['restore', '-c', 'saved'], 0);
    expect(place.expectStatus(['status', '--verify'], 0).stdout).toContain('\nverified: ');
    expect(
      JSON.parse(place.expectStatus(['status', '--verify', '--json'], 0).stdout),
    ).toMatchObject({
      differences: [],
    });
  }

  test('a verdict: the call that gets through is named, and explained', async () => {
    expect(await connect()).toBe('EPERM');
    changePage(0, (view) => {
      for (let at = HEAD_BYTES; at < PAGE_BYTES; at += 8)
        if (view.getUint8(at + 3) === OP.verdict && view.getUint16(at, true) !== 0)
          view.setUint16(at, 0, true);
    });
    expect(await connect()).toBe('ok');
    const { stdout, differences } = verify();
    expect(stdout).toContain(
      'nodes: the nodes of CONNECT do not say what its rules say: connect(udp, 0.0.0.0:7001) by group in (3), uid 0 is allowed by rule 1 of CONNECT, and by its text refused with EPERM by rule 1 of CONNECT',
    );
    expect(differences).toMatchObject([{ part: 'nodes', example: { inForce: /allowed/ } }]);
    const [, words = ''] = stdout.match(/^ {2}sockfilter (explain .*)$/m) ?? [];
    expect(place.expectStatus(words.split(' '), 0).stdout).toMatch(
      /^allowed by rule 1 of CONNECT$/m,
    );
    mend();
    expect(await connect()).toBe('EPERM');
  });

  test('nodes that lead in a circle', () => {
    changePage(0, (view) => {
      for (let at = HEAD_BYTES; at < PAGE_BYTES; at += 8)
        if (view.getUint8(at + 3) === OP.unequal) view.setUint32(at + 4, at / 8, true);
    });
    expect(verify().differences).toMatchObject([{ part: 'nodes' }]);
    mend();
  });

  test('the group of a control group, and what programs are told of a chain', async () => {
    const { idSlot } = usingPin(/^generation-/, (fd) => {
      const bytes = new Uint8Array(PAGE_BYTES);
      lookupRun(fd, 0, bytes, PAGE_BYTES);
      return decodeHeader(bytes);
    });
    usingPin(/^groups$/, (fd) => {
      for (const entry of [...groupEntries(fd)])
        if (entry.ids[idSlot] === 3) replaceEntry(fd, { ...entry, ids: [4, 4] });
    });
    expect(await connect()).toBe('ok');
    const { stdout } = verify();
    expect(stdout).toMatch(/^groups: the control group .* has network_id 4; its text says 3$/m);
    mend();
    expect(await connect()).toBe('EPERM');
    changePage(0, (view) => view.setUint32(HEADER.groupChains, 0, true));
    expect(verify().stdout).toContain('header: programs are not told all that CONNECT asks for');
    mend();
    changePage(0, (view) => view.setUint32(HEADER.settled + 4 * chainNumber('CONNECT'), 1, true));
    expect(await connect()).toBe('ok');
    expect(verify().stdout).toContain(
      'header: programs are not told whether all calls of CONNECT pass',
    );
    mend();
  });

  test('a hook', () => {
    rmSync(join(pins(), 'setsockopt'));
    const { differences } = verify();
    expect(differences).toEqual([
      { part: 'hooks', message: 'the rules need `setsockopt`, and it is not attached' },
    ]);
    mend();
  });
});
